// SPDX-License-Identifier: Apache-2.0
// Broken tables of invoices: each fault is named with its line, and the rows around it are read.

import Diagnostics
import Foundation
import Mapping
import Model
import Tabular
import Testing

@Suite struct BadTableTests {
    private static let header =
        "NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;Devise;MontantHT;MontantTVA;"
        + "MontantTTC;Statut"

    private func row(
        _ number: String, date: String = "31/01/2026", gross: String = "120,00", name: String = "Durand"
    ) -> String {
        "\(number);\(date);;C1;\(name);;;EUR;;;\(gross);payée"
    }

    /// What was read of a file: numbers of right records, faults as `line code field value`, and what ended it.
    private struct Outcome {
        var right: [String] = []
        var faults: [String] = []
        var end: Diagnostic?
        var fileFindings: [Diagnostic] = []
    }

    private func read(_ lines: [String]) throws -> Outcome {
        try read(Array((lines.joined(separator: "\n") + "\n").utf8))
    }

    private func read(_ bytes: [UInt8]) throws -> Outcome {
        var outcome = Outcome()
        func look(_ item: inout MappedItem) {
            if item.isApplicable { outcome.right.append(item.record.text("number") ?? "?") }
            for finding in item.findings where finding.severity == .error {
                let place = finding.place
                outcome.faults.append(
                    "\(place.line ?? 0) \(finding.code) \(place.field ?? "–") \(place.value ?? "–")")
            }
        }
        do {
            var probe = EncodingProbe()
            probe.feed(bytes)
            probe.finish()
            var reader = try MappingReader(try MappingLibrary.shipped().mapping("factures-csv"), probe: probe)
            var rest = bytes[...]
            while !rest.isEmpty {
                try reader.feed(Array(rest.prefix(256 << 10)), look)
                rest = rest.dropFirst(256 << 10)
            }
            try reader.finish(look)
            outcome.fileFindings = reader.fileFindings
        } catch {
            outcome.end = (error as? any ReportableError)?.diagnostic
        }
        return outcome
    }

    @Test func `amounts of three locales in one column: the right ones are read, the others named`() throws {
        let outcome = try read([
            Self.header, row("A", gross: "1 234,50"), row("B", gross: "1,234.50"),
            row("C", gross: "1.234,50"),
            row("D", gross: "1234,50"), row("E", gross: "1234.50"),
        ])
        #expect(outcome.right == ["A", "D"])
        #expect(
            outcome.faults == [
                "3 FIELD-NOT-DECIMAL gross_total 1,234.50", "4 FIELD-NOT-DECIMAL gross_total 1.234,50",
                "6 FIELD-NOT-DECIMAL gross_total 1234.50",
            ])
    }

    @Test func `dates of another form and days that do not exist are named, never guessed`() throws {
        let outcome = try read([
            Self.header, row("A", date: "02/03/2026"), row("B", date: "12/31/2026"),
            row("C", date: "30/02/2026"), row("D", date: "02/03/26"), row("E", date: "2026-03-02"),
        ])
        #expect(outcome.right == ["A", "E"])
        #expect(
            outcome.faults == [
                "3 FIELD-NOT-DATE issue_date 12/31/2026", "4 FIELD-NOT-DATE issue_date 30/02/2026",
                "5 FIELD-NOT-DATE issue_date 02/03/26",
            ])
    }

    @Test func `a row with other columns is named, the rows around it are read`() throws {
        let outcome = try read([Self.header, row("A"), "B;2", row("C") + ";;x", row("D")])
        #expect(outcome.right == ["A", "D"])
        #expect(
            outcome.faults.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
                == ["3 CSV-RAGGED", "4 CSV-RAGGED"])
    }

    @Test func `ten thousand columns are read, twenty thousand refused`() throws {
        let more = (1...10_000).map { ";x\($0)" }.joined()
        let wide = try read([Self.header + more, row("A") + String(repeating: ";", count: 10_000)])
        #expect(wide.right == ["A"])
        #expect(wide.end == nil)
        let wider = try read([Self.header + more + more, row("A")])
        #expect(wider.end?.code == "CSV-FIELDS")
        #expect(wider.end?.place.line == 1)
    }

    @Test func `a line beyond the limits ends the file behind the rows before it`() throws {
        let bytes = Array((Self.header + "\n" + row("A") + "\n").utf8)
        let long = try read(bytes + [UInt8](repeating: UInt8(ascii: "x"), count: 4 << 20) + [10])
        #expect(long.right == ["A"])
        #expect(long.end?.code == "CSV-FIELD")
        #expect(long.end?.place.line == 3)
        let quoted = try read(bytes + Array("\"B;".utf8) + [UInt8](repeating: 10, count: 4 << 20))
        #expect(quoted.right == ["A"])
        #expect(quoted.end?.code == "CSV-OPEN-QUOTE")
        #expect(quoted.end?.place.line == 3, "where the quote was opened")
    }

    @Test func `a byte order mark inside a file is told and is no part of a value`() throws {
        let outcome = try read([Self.header, row("A"), "\u{FEFF}" + row("B"), row("C")])
        #expect(outcome.right == ["A", "B", "C"])
        #expect(outcome.fileFindings.map(\.code) == ["CSV-STRAY-MARK"])
        #expect(outcome.fileFindings.first?.place.line == 3)
    }

    /// A CFONB statement of one account, with these lines between its old and its new balance.
    private func statement(_ lines: [String]) -> [UInt8] {
        func line(_ start: String, _ date: String, _ label: String, _ amount: String) -> String {
            let head = (start + "30004    00821EUR2 00010123456  ").padding(
                toLength: 34, withPad: " ", startingAt: 0)
            let body = (head + date + "        " + label).padding(toLength: 90, withPad: " ", startingAt: 0)
            return body + amount + String(repeating: " ", count: 16)
        }
        let all =
            [line("01", "311225", "", "0000000010000{")]
            + lines.map {
                $0.hasPrefix("04")
                    ? line("04", String($0.dropFirst(3).prefix(6)), "VIR", "0000000000100{") : $0
            }
        return Array((all + [line("07", "310126", "", "0000000010200{"), ""]).joined(separator: "\n").utf8)
    }

    private func items(_ mapping: String, _ bytes: [UInt8]) throws -> (name: String?, items: [MappedItem]) {
        var probe = EncodingProbe()
        probe.feed(bytes)
        probe.finish()
        let library = try MappingLibrary.shipped()
        let head = FileHead(name: "x.txt", bytes: Array(bytes.prefix(FileHead.size)), probe: probe)
        let chosen = try? MappingChooser(library).choose(head).definition
        var reader = try MappingReader(try library.mapping(mapping), probe: probe)
        var items: [MappedItem] = []
        try reader.feed(bytes) { items.append($0) }
        try reader.finish { items.append($0) }
        return (chosen?.name, items)
    }

    @Test func `blanks, unknown rows and a bad date leave the rest of a statement as it is`() throws {
        let (name, items) = try items(
            "cfonb-120", statement(["04 020126", "   ", "99 autre", "04 030126", "\u{1A}"]))
        #expect(name == "cfonb-120")
        #expect(items.map(\.isApplicable) == [true, false])
        let entries = try #require(items[0].record.schema.collection("entries"))
        #expect(items[0].record.children[entries].count == 2, "the unknown row does not close the statement")
        #expect(items[0].findings.isEmpty, "the balances add up")
        #expect(items[1].findings.map(\.code) == ["CSV-UNKNOWN-ROW"])
        #expect(items[1].record.origin.line == 4)
    }

    @Test func `records keep their order however many unknown rows stand in one`() throws {
        let unknown = [String](repeating: "99 autre", count: 2500)
        let (_, items) = try items("cfonb-120", statement(["04 020126"] + unknown + ["04 030126"]))
        let ordinals = items.map(\.record.origin.ordinal)
        #expect(ordinals == ordinals.sorted())
        #expect(Set(ordinals).count == items.count)
        #expect(items.count { $0.findings.map(\.code) == ["CSV-UNKNOWN-ROW"] } == 2500)
        #expect(items.last?.record.origin.line == 2504, "the rows behind them are not lost either")
    }

    @Test func `a fault in a row of a record names that row's line, and the mapping is still chosen`() throws
    {
        let (name, items) = try items("cfonb-120", statement(["04 020126", "04 320126"]))
        #expect(name == "cfonb-120")
        let finding = try #require(items[0].findings.first { $0.severity == .error })
        #expect(finding.code == "FIELD-NOT-DATE")
        #expect(finding.place.line == 3)
        #expect(finding.place.field == "entries.booked_on")
    }

    @Test func `zero bytes and lines of two encodings refuse the file with their place`() throws {
        let zero = try read(Array((Self.header + "\n" + row("A\u{0}")).utf8))
        #expect(zero.end?.code == "CSV-NUL")
        #expect(zero.end?.place.line == 2)
        let mixed = try read(
            Array((Self.header + "\n" + row("A", name: "Élan") + "\nB;31/01/2026;;C1;").utf8) + [0xC9]
                + Array("lan;;;EUR;;;1,00;ouvert\n".utf8))
        #expect(mixed.end?.code == "CSV-MIXED-ENCODINGS")
        #expect(mixed.end?.place.line == 3)
    }
}
