// SPDX-License-Identifier: Apache-2.0
// Periods, columns and forms of the agenda, which are pure.

import CRM
import ICalendar
import Model
import Testing

@testable import Server

@Suite struct AgendaValueTests {
    @Test(
        arguments: [
            ("2026-W48", "2026-11-23", 7), ("2026-W01", "2025-12-29", 7), ("2026-W53", "2026-12-28", 7),
            ("2027-W01", "2027-01-04", 7), ("2026-11-25", "2026-11-25", 1), ("2026-11", "2026-11-01", 42),
            ("2027-02", "2027-02-01", 28), ("2026-08", "2026-08-01", 42),
        ])
    func `a period is read from its address, and its address from it`(
        _ text: String, _ first: String, _ count: Int
    ) throws {
        let period = try #require(AgendaPeriod(text))
        #expect(period.text == text && period.first.description == first)
        #expect(period.days.count == count && period.moved(by: 5).moved(by: -5) == period)
        #expect(period.days.first?.description ?? "" <= first)
    }

    @Test(arguments: ["2026-W54", "2025-W53", "2026-W00", "2026-13", "2026-02-30", "", "x", "2026-W4"])
    func `no such period`(_ text: String) {
        #expect(AgendaPeriod(text) == nil)
    }

    @Test func `things at the same time stand side by side, others take the whole width`() {
        func columns(_ spans: [Range<Int>]) -> [Int] { AgendaColumns.place(spans).places.map(\.column) }
        #expect(columns([0..<4, 4..<8]) == [1, 1])
        #expect(columns([0..<8, 2..<4, 4..<6]) == [1, 2, 2])
        #expect(columns([0..<8, 2..<4, 3..<6, 7..<9]) == [1, 2, 3, 2])
        let (places, count) = AgendaColumns.place([0..<8, 2..<4, 20..<24])
        #expect(count == 2 && places.map(\.isLast) == [false, true, true])
        #expect(AgendaColumns.place([]).count == 1)
    }

    @Test func `times are read as people write them`() {
        let read = ["09:15", "9h15", "9h", "09:15:00", " 23:59 "].map { AgendaForm.minute($0) }
        #expect(read == [555, 555, 540, 555, 1439])
        #expect(["24:00", "9", "ab", "12:60", ""].allSatisfy { AgendaForm.minute($0) == nil })
    }

    @Test func `what a device wrote on several lines is not changed by showing it`() {
        #expect(AgendaForm.change(of: "Rue XPrivas", from: "Rue X\nPrivas ") == nil)
        #expect(AgendaForm.change(of: "Rue Y", from: "Rue X\nPrivas") == "Rue Y")
        #expect(AgendaForm.change(of: "", from: "Rue X") == "" && AgendaForm.change(of: "", from: nil) == nil)
    }

    @Test func `a form says what is wrong by its inputs`() {
        func faults(_ text: String) -> [String: String] { AgendaForm(Form(text)).read.faults }
        #expect(faults("title=a&day=2026-11-25&start=09:00&end=10:00").isEmpty)
        #expect(faults("title=&day=x&start=9&end=10").keys.sorted() == ["day", "title"])
        #expect(faults("title=a&day=2026-11-25&start=10:00&end=09:00").keys.sorted() == ["end"])
        #expect(faults("title=a&day=2026-11-25&last_day=2026-11-24&all_day=on").keys.sorted() == ["end"])
        let night = AgendaForm(Form("title=a&day=25/11/2026&last_day=2026-11-26&start=22:00&end=06:00")).read
        #expect(night.faults.isEmpty && (night.time.map { $0.end.seconds - $0.start.seconds } == 8 * 3600))
    }
}
