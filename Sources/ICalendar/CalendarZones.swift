// SPDX-License-Identifier: Apache-2.0
// Finds the zone that a TZID means.

package import Foundation
package import Model

/// The zones of an object: the system's by their names, then those that the object describes.
package struct CalendarZones: Sendable {
    private let described: [String: CalendarZone]
    /// The zone of floating times and of days, which is that of the person who looks.
    package let local: CalendarZone

    /// Descriptions that are read of one object, of zones that are not known by their names.
    private static let limit = 20

    /// The zones of an object's VTIMEZONE components.
    package init(_ components: [Component] = [], local: TimeZone) {
        var described: [String: CalendarZone] = [:]
        for component in components where described.count < Self.limit {
            guard let name = component["TZID"]?.text.trimmingBlanks, described[name] == nil,
                Self.known(name) == nil
            else { continue }
            let place = component["X-LIC-LOCATION"].flatMap { Self.known($0.text.trimmingBlanks) }
            described[name] = place ?? DescribedZone(component).map { .described($0) }
        }
        self.described = described
        self.local = .known(local)
    }

    /// The zone of a TZID; nil where nothing says what it is.
    ///
    /// In this order: an IANA name; one behind the prefix of an old program
    /// (`/example.org/20260101/Europe/Paris`); a name of Windows; the object's own description; a distance in
    /// the name (`(UTC+01:00) Bruxelles`).
    /// - Source: RFC 5545, 3.2.19; RFC 7809 for names that are known without a description.
    package func zone(_ name: String) -> CalendarZone? {
        let name = name.trimmingBlanks
        return Self.known(name) ?? described[name] ?? Self.distance(in: name)
    }

    /// The zone that a moment is in; nil where its TZID is not known.
    package func zone(of moment: CalendarMoment) -> CalendarZone? {
        switch moment {
        case .day, .floating: local
        case .utc: .utc
        case .zoned(_, let name): zone(name)
        }
    }

    /// The instant of a moment; of one in an unknown zone as if it were floating.
    package func instant(of moment: CalendarMoment) -> Timestamp {
        (zone(of: moment) ?? local).instant(of: moment.wall)
    }

    // MARK: - Names

    private static func known(_ name: String) -> CalendarZone? {
        if ["UTC", "Z", "GMT", "ETC/UTC"].contains(name.uppercased()) { return .utc }
        if let name = WindowsZones.names[name] { return system(name) }
        let parts = name.split(separator: "/")
        // Longest first, since America/Argentina/Ushuaia has three parts.
        for count in [parts.count, 3, 2] where count >= 1 && count <= parts.count {
            let tail = parts.suffix(count).joined(separator: "/")
            if count == 1 || tail.first?.isLetter == true, let zone = system(tail) { return zone }
        }
        return nil
    }

    /// Foundation takes abbreviations for American zones as they are at the moment, and any distance for a
    /// zone.
    private static func system(_ name: String) -> CalendarZone? {
        guard !name.hasPrefix("GMT"), !name.hasPrefix("UTC"), TimeZone.abbreviationDictionary[name] == nil
        else {
            return nil
        }
        return TimeZone(identifier: name).map { .known($0) }
    }

    private static func distance(in name: String) -> CalendarZone? {
        guard let match = name.firstMatch(of: #/(?:UTC|GMT)\s*([+\-])(\d{1,2})(?:[:.]?(\d{2}))?/#) else {
            return nil
        }
        let hours = match.output.2.count == 1 ? "0\(match.output.2)" : "\(match.output.2)"
        return DescribedZone.offset("\(match.output.1)\(hours)\(match.output.3 ?? "00")").map { .fixed($0) }
    }
}
