// SPDX-License-Identifier: Apache-2.0
// What is planned: written by devices and by people, read by weeks, taken back.

import CRM
import Foundation
import ICalendar
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct AgendaTests {
    fileprivate static let zone = TimeZone(identifier: "Europe/Paris") ?? .gmt
    // 2026-11-23T08:00:00Z, a Monday
    fileprivate static let now = Timestamp(microsecondsSince1970: 1_795_420_800_000_000)
    private let edits = AgendaEdits(zone: zone, now: now)

    private struct Office {
        let bench: Workbench
        let nina: AppUser
        let sam: AppUser

        init() async throws {
            bench = try await Workbench()
            _ = try await bench.accounts("C1,Alpha,,,,,,,", "C2,Bravo,,,,,,,")
            try await bench.script(
                """
                insert into app_user (login, name, role) values ('nina', 'Nina', 'rep'), ('sam', 'Sam', 'rep');
                update party set owner_id = (select id from app_user where login = 'nina') where name = 'Alpha'
                """)
            nina = try await bench.pool.withConnection { try await AppUsers.show("nina", on: $0) }
            sam = try await bench.pool.withConnection { try await AppUsers.show("sam", on: $0) }
        }

        func alpha() async throws -> Int {
            try #require(try await bench.numbers("select id from party where name = 'Alpha'").first)
        }

        /// What a device sends.
        func put(_ lines: String, named name: String = "a.ics", of user: AppUser) async throws -> DAVOutcome {
            let text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Test//FR\n\(lines)\nEND:VCALENDAR\n"
            let draft = try DAVObjectDraft(
                name: name, reading: Array(text.utf8), kind: .calendar, zone: AgendaTests.zone,
                now: AgendaTests.now)
            return try await bench.pool.withConnection { connection in
                let calendar = try #require(
                    try await DAVCollections.find(.calendar, "calendar", of: user.id, on: connection))
                return try await DAVObjects.put(
                    draft, in: calendar.id, if: DAVCondition(), by: user.id, on: connection)
            }
        }

        /// `title start/end` of the entries between two days.
        func entries(_ from: String, _ until: String, of user: AppUser) async throws -> [String] {
            try await week(from, until, of: user).map { entry in
                "\(entry.title) \(entry.span?.start.description ?? "")/\(entry.span?.end.description ?? "")"
            }
        }

        func week(_ from: String, _ until: String, of user: AppUser) async throws -> [AgendaEntry] {
            let days = try [from, until].map { try #require(Self.instant($0)) }
            return try await bench.pool.withConnection {
                try await AgendaItems.between(days[0], days[1], of: user.id, scope: user.scope, on: $0)
            }
        }

        private static func instant(_ day: String) -> Timestamp? {
            let parts = day.split(separator: "-").compactMap { Int($0) }
            return CalendarDate(year: parts[0], month: parts[1], day: parts[2]).map {
                Timestamp(microsecondsSince1970: Int64($0.daysSince1970) * 86_400_000_000)
            }
        }
    }

    private func fields(
        _ title: String, _ day: Int = 25, year: Int = 2026, party: Int? = nil
    ) throws -> AgendaFields {
        let date = try #require(CalendarDate(year: year, month: 11, day: day))
        return AgendaFields(
            title: title,
            time: .init(
                start: WallTime(date, second: 9 * 3600), end: WallTime(date, second: 10 * 3600),
                isAllDay: false),
            location: "Privas, salle 2", details: "Deux\nlignes", party: party)
    }

    // MARK: - Devices

    @Test func `a series with an exception is what the week shows`() async throws {
        let office = try await Office()
        _ = try await office.put(
            """
            BEGIN:VEVENT
            UID:s
            DTSTART;TZID=Romance Standard Time:20261020T093000
            DURATION:PT30M
            RRULE:FREQ=WEEKLY
            EXDATE;TZID=Romance Standard Time:20261117T093000
            SUMMARY:Point
            END:VEVENT
            BEGIN:VEVENT
            UID:s
            RECURRENCE-ID;TZID=Romance Standard Time:20261124T093000
            DTSTART;TZID=Romance Standard Time:20261125T140000
            DTEND;TZID=Romance Standard Time:20261125T150000
            SUMMARY:Point déplacé
            END:VEVENT
            """, of: office.nina)
        // The clock went back on 25 October.
        #expect(
            try await office.entries("2026-10-19", "2026-10-28", of: office.nina) == [
                "Point 2026-10-20T07:30:00Z/2026-10-20T08:00:00Z",
                "Point 2026-10-27T08:30:00Z/2026-10-27T09:00:00Z",
            ])
        #expect(
            try await office.entries("2026-11-16", "2026-12-02", of: office.nina) == [
                "Point déplacé 2026-11-25T13:00:00Z/2026-11-25T14:00:00Z",
                "Point 2026-12-01T08:30:00Z/2026-12-01T09:00:00Z",
            ])
        #expect(try await office.entries("2026-11-16", "2026-12-02", of: office.sam) == [])
        let later = try await office.entries("2031-11-01", "2031-11-12", of: office.nina)
        #expect(later.count == 2)
    }

    @Test func `whole days, tasks and what is cancelled, and what a second version no longer says`()
        async throws
    {
        let office = try await Office()
        _ = try await office.put(
            "BEGIN:VEVENT\nUID:d\nDTSTART;VALUE=DATE:20261125\nSUMMARY:Salon\nEND:VEVENT", of: office.nina)
        _ = try await office.put(
            "BEGIN:VTODO\nUID:t\nDUE:20261126T100000Z\nSUMMARY:Devis\nEND:VTODO", named: "t.ics",
            of: office.nina)
        _ = try await office.put(
            "BEGIN:VEVENT\nUID:x\nDTSTART:20261125T100000Z\nSTATUS:CANCELLED\nSUMMARY:Non\nEND:VEVENT",
            named: "x.ics", of: office.nina)
        let week = try await office.week("2026-11-23", "2026-11-30", of: office.nina)
        #expect(week.map(\.title) == ["Salon", "Devis"] && week.map(\.kind) == [.event, .task])
        #expect(week.first?.span?.isAllDay == true)
        #expect(week.first?.span?.start.description == "2026-11-24T23:00:00Z")
        _ = try await office.put(
            "BEGIN:VEVENT\nUID:d\nDTSTART;VALUE=DATE:20271125\nSUMMARY:Salon\nEND:VEVENT", of: office.nina)
        #expect(try await office.entries("2026-11-23", "2026-11-30", of: office.nina).count == 1)
    }

    @Test func `people who are invited are known by their addresses`() async throws {
        let office = try await Office()
        let alpha = try await office.alpha()
        try await office.bench.script(
            """
            insert into contact_point (party_id, kind, value_norm, value)
            values (\(alpha), 'email', 'c.lestrade@alpha.example', 'C.Lestrade@alpha.example')
            """)
        _ = try await office.put(
            """
            BEGIN:VEVENT
            UID:i
            DTSTART:20261125T100000Z
            ORGANIZER:mailto:nina@relais.example
            ATTENDEE;CN=Claire;PARTSTAT=ACCEPTED:mailto:C.Lestrade@Alpha.example
            ATTENDEE:mailto:autre@beta.example
            END:VEVENT
            """, of: office.nina)
        let rows = try await office.bench.texts(
            "select address || ' ' || answer || ' ' || (party_id is not null) from agenda_attendee order by address"
        )
        #expect(rows == ["autre@beta.example none false", "c.lestrade@alpha.example accepted true"])
    }

    // MARK: - People

    @Test func `what is planned in the CRM is an object that devices read, and is taken back`() async throws {
        let office = try await Office()
        let alpha = try await office.alpha()
        let planned = try fields("Visite", year: 2999, party: alpha)
        let outcome = try await office.bench.pool.withConnection {
            try await edits.add(planned, for: office.nina, on: $0)
        }
        guard case .done(let id, 0) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        let text = try #require(
            try await office.bench.texts("select convert_from(bytes, 'UTF8') from dav_version").first ?? nil)
        #expect(text.contains("\r\nSUMMARY:Visite\r\n") && text.contains("\r\nDTSTART:29991125T080000Z\r\n"))
        #expect(text.contains("\r\nLOCATION:Privas\\, salle 2\r\n") && text.contains("Deux\\nlignes"))
        let entry = try #require(try await office.week("2999-11-23", "2999-11-30", of: office.nina).first)
        #expect(entry.party == alpha && entry.partyName == "Alpha" && entry.id == id)
        let view = try await office.bench.pool.withConnection {
            try await Accounts.view(alpha, for: office.nina, on: $0)
        }
        #expect(view?.planned.map(\.title) == ["Visite"])
        _ = try await office.bench.pool.withConnection {
            try await edits.restore(id, to: 0, for: office.nina, on: $0)
        }
        #expect(try await office.entries("2999-11-23", "2999-11-30", of: office.nina) == [])
    }

    @Test func `an edit changes its own lines only, and a stale one changes nothing`() async throws {
        let office = try await Office()
        _ = try await office.put(
            """
            BEGIN:VEVENT
            UID:a
            DTSTART;TZID=America/New_York:20261125T090000
            DURATION:PT1H
            X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:44.7,4.5
            SUMMARY;LANGUAGE=fr:Avant
            END:VEVENT
            """, of: office.nina)
        let entry = try #require(try await office.week("2026-11-23", "2026-11-30", of: office.nina).first)
        let planned = try fields("Après", 26)
        let outcome = try await office.bench.pool.withConnection {
            try await edits.save(planned, of: entry.id, etag: entry.etag, for: office.nina, on: $0)
        }
        #expect(outcome == .done(object: entry.id, before: 1))
        let text = try #require(
            try await office.bench.texts(
                "select convert_from(bytes, 'UTF8') from dav_version order by revision desc limit 1"
            ).first ?? nil)
        #expect(text.contains("\nDTSTART;TZID=America/New_York:20261126T030000\n"))
        #expect(
            text.contains("\nDTEND;TZID=America/New_York:20261126T040000\n") && !text.contains("DURATION"))
        #expect(
            text.contains("\nX-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:44.7,4.5\nSUMMARY;LANGUAGE=fr:Après\n")
        )
        #expect(text.contains("\nSEQUENCE:1\n"))
        let again = try await office.bench.pool.withConnection {
            try await edits.save(planned, of: entry.id, etag: entry.etag, for: office.nina, on: $0)
        }
        #expect(again == .same || again == .stale)
        let other = try await office.bench.pool.withConnection { connection in
            [
                try await edits.delete(entry.id, etag: entry.etag, for: office.nina, on: connection),
                try await edits.delete(entry.id, etag: "x", for: office.sam, on: connection),
                try await edits.restore(entry.id, to: 1, for: office.sam, on: connection),
            ]
        }
        #expect(other == [.stale, .unseen, .unseen])
        _ = try await office.bench.pool.withConnection {
            try await edits.restore(entry.id, to: 1, for: office.nina, on: $0)
        }
        #expect(
            try await office.entries("2026-11-23", "2026-11-30", of: office.nina) == [
                "Avant 2026-11-25T14:00:00Z/2026-11-25T15:00:00Z"
            ])
    }

    @Test func `what was deleted comes back, and what is done is told on the timeline once`() async throws {
        let office = try await Office()
        let alpha = try await office.alpha()
        let planned = try fields("Visite", party: alpha)
        _ = try await office.bench.pool.withConnection {
            try await edits.add(planned, for: office.nina, on: $0)
        }
        let entry = try #require(try await office.week("2026-11-23", "2026-11-30", of: office.nina).first)
        let gone = try await office.bench.pool.withConnection {
            try await edits.delete(entry.id, etag: entry.etag, for: office.nina, on: $0)
        }
        #expect(gone == .done(object: entry.id, before: 1))
        #expect(try await office.week("2026-11-23", "2026-11-30", of: office.nina) == [])
        _ = try await office.bench.pool.withConnection {
            try await edits.restore(entry.id, to: 1, for: office.nina, on: $0)
        }
        let back = try await office.week("2026-11-23", "2026-11-30", of: office.nina)
        #expect(back.map(\.title) == ["Visite"] && back.first?.partyName == "Alpha")
        let done = try await office.bench.pool.withConnection { connection in
            [
                try await edits.finish(entry.id, channel: "visit", for: office.sam, on: connection),
                try await edits.finish(entry.id, channel: "visit", for: office.nina, on: connection),
                try await edits.finish(entry.id, channel: "visit", for: office.nina, on: connection),
            ]
        }
        #expect(done == [false, true, false])
        let view = try await office.bench.pool.withConnection {
            try await Accounts.view(alpha, for: office.nina, on: $0)
        }
        #expect(view?.timeline.map(\.subject) == ["Visite"] && view?.planned.isEmpty == true)
        #expect(try await office.week("2026-11-23", "2026-11-30", of: office.nina).map(\.status) == [.done])
    }
}
