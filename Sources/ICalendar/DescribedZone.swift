// SPDX-License-Identifier: Apache-2.0
// A zone as a VTIMEZONE describes it.

internal import Model

/// The changes of a zone's offset, up to the year 2100.
///
/// - Source: RFC 5545, 3.6.5.
package struct DescribedZone: Hashable, Sendable {
    private struct Change: Hashable, Sendable {
        let instant: Int
        let offset: Int
    }

    /// In the order of time.
    private let changes: [Change]
    /// Before the first change.
    private let first: Int

    /// STANDARD and DAYLIGHT parts that are read; a zone with all its history has dozens.
    private static let partLimit = 100
    /// Changes of each part; one a year until 2100.
    private static let changeLimit = 200
    private static let horizon = CalendarDate(year: 2100, month: 1, day: 1).map { WallTime($0) }

    /// The zone that a component describes; nil where no part of it is understood.
    init?(_ component: Component) {
        var changes: [(change: Change, from: Int)] = []
        let parts = component.components.filter { ["STANDARD", "DAYLIGHT"].contains($0.name) }
        for part in parts.prefix(Self.partLimit) {
            guard let from = part["TZOFFSETFROM"].flatMap({ Self.offset($0.value) }),
                let to = part["TZOFFSETTO"].flatMap({ Self.offset($0.value) })
            else { continue }
            changes += Self.beginnings(of: part, from: from).map {
                (Change(instant: $0.seconds - from, offset: to), from)
            }
        }
        changes.sort { $0.change.instant < $1.change.instant }
        guard let earliest = changes.first else { return nil }
        first = earliest.from
        self.changes = changes.map(\.change)
    }

    /// What the clocks show, before they change, when a part begins to hold.
    private static func beginnings(of part: Component, from offset: Int) -> [WallTime] {
        let item = CalendarItem(part)
        guard let start = item.start?.wall, let horizon else { return [] }
        var beginnings = [start] + item.additions.map(\.start.wall)
        guard let rule = item.rule else { return beginnings }
        var last = horizon
        if let until = rule.until {
            if case .utc(let time) = until {
                last = WallTime(seconds: time.seconds + offset)
            } else {
                last = until.wall
            }
        }
        // Outlook's zones begin in 1601; their rules hold for all years alike.
        let isEndless = rule.frequency == .yearly && rule.interval == 1 && rule.count == nil
        let modern = CalendarDate(year: 1970, month: 1, day: 1).map { WallTime($0, second: start.second) }
        var walls = RecurrenceWalls(rule, from: isEndless ? max(start, modern ?? start) : start)
        while beginnings.count < changeLimit, let wall = walls.next(), wall <= last {
            if wall > start { beginnings.append(wall) }
        }
        return beginnings
    }

    /// Seconds east of UTC.
    func offset(at instant: Int) -> Int {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].instant <= instant { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : changes[low - 1].offset
    }

    /// `+0100`, `-053000`.
    static func offset(_ text: String) -> Int? {
        let text = text.trimmingBlanks
        let digits = text.dropFirst().utf8.filter { $0 != UInt8(ascii: ":") }
        guard let sign = text.first, sign == "+" || sign == "-", digits.count == 4 || digits.count == 6,
            digits.allSatisfy({ $0 &- 48 < 10 })
        else { return nil }
        let numbers = digits.map { Int($0 - 48) }
        let pairs = stride(from: 0, to: numbers.count, by: 2).map { numbers[$0] * 10 + numbers[$0 + 1] }
        let seconds = pairs[0] * 3600 + pairs[1] * 60 + (pairs.count > 2 ? pairs[2] : 0)
        return pairs[0] < 24 && pairs[1] < 60 ? (sign == "-" ? -seconds : seconds) : nil
    }
}
