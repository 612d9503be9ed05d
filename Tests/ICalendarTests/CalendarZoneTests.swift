// SPDX-License-Identifier: Apache-2.0
// Which zone a TZID means, and what its clocks show.

import Foundation
import ICalendar
import Model
import Testing

@Suite struct CalendarZoneTests {
    private let paris = TimeZone(identifier: "Europe/Paris") ?? .gmt

    private func zones(_ description: String = "") throws -> CalendarZones {
        guard !description.isEmpty else { return CalendarZones(local: paris) }
        let document = try ContentDocument(parsing: Array(description.utf8))
        return CalendarZones(document.components, local: paris)
    }

    private func instant(_ wall: String, _ zone: CalendarZone?) throws -> String {
        let moment = try #require(CalendarMoment(wall))
        return try #require(zone).instant(of: moment.wall).description
    }

    @Test(
        arguments: zip(
            [
                "Europe/Paris", "W. Europe Standard Time", "Romance Standard Time",
                "/mozilla.org/20050126_1/Europe/Paris",
                "/freeassociation.sourceforge.net/America/Argentina/Ushuaia", "Eastern Standard Time",
            ],
            [
                "Europe/Paris", "Europe/Berlin", "Europe/Paris", "Europe/Paris", "America/Argentina/Ushuaia",
                "America/New_York",
            ]))
    func `zones are known by IANA names, by those of Windows, and behind prefixes`(tzid: String, name: String)
        throws
    {
        #expect(try zones().zone(tzid)?.name == name)
    }

    @Test func `a distance in a name is a zone; abbreviations and nonsense are none`() throws {
        let zones = try zones()
        #expect(zones.zone("(UTC+01:00) Bruxelles, Paris") == .fixed(3600))
        #expect(zones.zone("GMT-0330") == .fixed(-12_600))
        #expect(zones.zone("UTC") == .utc)
        for name in ["PST", "", "Mars/Olympus", "Customized Time Zone", "/", "//", "UTC+99"] {
            #expect(zones.zone(name) == nil, "\(name)")
        }
    }

    @Test func `a time that comes twice is the first, a time left out counts by the offset before`() throws {
        let zone = CalendarZone.known(paris)
        #expect(try instant("20261025T023000", zone) == "2026-10-25T00:30:00Z")
        #expect(try instant("20261025T030000", zone) == "2026-10-25T02:00:00Z")
        #expect(try instant("20260329T023000", zone) == "2026-03-29T01:30:00Z")
        #expect(try instant("20260329T030000", zone) == "2026-03-29T01:00:00Z")
        #expect(try instant("20260101T000000", zone) == "2025-12-31T23:00:00Z")
    }

    private static let custom = """
        BEGIN:VTIMEZONE
        TZID:Customized Time Zone
        BEGIN:STANDARD
        DTSTART:16010101T030000
        TZOFFSETFROM:+0200
        TZOFFSETTO:+0100
        RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
        END:STANDARD
        BEGIN:DAYLIGHT
        DTSTART:16010101T020000
        TZOFFSETFROM:+0100
        TZOFFSETTO:+0200
        RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
        END:DAYLIGHT
        END:VTIMEZONE
        """

    @Test func `a description is used where the name is not known, and agrees with the zone it copies`()
        throws
    {
        let zone = try #require(try zones(Self.custom).zone("Customized Time Zone"))
        #expect(zone.name == nil)
        let known = CalendarZone.known(paris)
        for hour in stride(from: 0, to: 24 * 366 * 3, by: 7) {
            let instant = 1_767_225_600 + hour * 3600
            #expect(zone.offset(at: instant) == known.offset(at: instant))
        }
        #expect(try instant("20260701T120000", zone) == "2026-07-01T10:00:00Z")
    }

    @Test func `a description that says nothing is no zone`() throws {
        let empty = "BEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE"
        #expect(try zones(empty).zone("x") == nil)
    }

    @Test func `a description that names its place is that place`() throws {
        let named = "BEGIN:VTIMEZONE\nTZID:x\nX-LIC-LOCATION:Europe/Paris\nEND:VTIMEZONE"
        #expect(try zones(named).zone("x")?.name == "Europe/Paris")
    }
}
