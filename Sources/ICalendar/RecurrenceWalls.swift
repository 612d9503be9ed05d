// SPDX-License-Identifier: Apache-2.0
// The times of a rule, on the clocks of its own zone.

internal import Model

/// The times of a rule, in their order, from its beginning on; COUNT and UNTIL are for the caller to heed.
struct RecurrenceWalls {
    private enum Source {
        case days(RuleIterator)
        case clock(ClockRule)
        case nothing
    }

    private let rule: RecurrenceRule
    private let start: WallTime
    private var source: Source
    private var last: WallTime?

    /// Times of one day, at most, where BYSETPOS makes the library hold all times of a period at once.
    private static let setLimit = 1440

    init(_ rule: RecurrenceRule, from start: WallTime) {
        self.rule = rule
        self.start = start
        switch rule.frequency {
        case .secondly, .minutely, .hourly, .daily: source = .clock(ClockRule(rule, from: start))
        case .weekly, .monthly, .yearly: source = Self.days(rule, from: start)
        }
    }

    private static func days(_ rule: RecurrenceRule, from start: WallTime) -> Source {
        let times = [rule.hours, rule.minutes, rule.seconds].reduce(1) { $0 * max($1.count, 1) }
        guard rule.positions.isEmpty || times <= setLimit else { return .nothing }
        return RuleIterator(rule.pattern, from: start).map { .days($0) } ?? .nothing
    }

    /// Whether the rule can be expanded at all.
    var isUnderstood: Bool {
        if case .nothing = source { false } else { true }
    }

    /// The next time, later than the last one.
    mutating func next() -> WallTime? {
        while let wall = following() {
            if let last, wall <= last { continue }
            last = wall
            return wall
        }
        return nil
    }

    /// Leaves out times before this one where that saves work; others may still come.
    mutating func skip(to wall: WallTime) {
        if case .clock(var rule) = source {
            rule.skip(to: wall)
            source = .clock(rule)
        } else if rule.frequency == .weekly {
            // Whole intervals of weeks later, the rule is the same.
            let interval = rule.interval * 7 * 86_400
            let intervals = (wall.seconds - start.seconds) / interval - 1
            guard intervals > 0 else { return }
            source = Self.days(rule, from: WallTime(seconds: start.seconds + intervals * interval))
        }
    }

    private mutating func following() -> WallTime? {
        switch source {
        case .days(let iterator): return iterator.next()
        case .clock(var rule):
            let wall = rule.next()
            source = .clock(rule)
            return wall
        case .nothing: return nil
        }
    }
}
