// SPDX-License-Identifier: Apache-2.0
// Goes through the occurrences of a series, within bounds.

internal import Diagnostics
internal import Model

/// One pass over a series for one range.
struct SeriesExpander {
    /// By what moments of one series are the same.
    private enum Key: Hashable {
        case day(CalendarDate)
        case instant(Timestamp)
    }

    /// How long an item is.
    private enum Length {
        case days(Int)
        case seconds(Int)
        case nominal(CalendarDuration)
    }

    /// What replaces all occurrences from one on.
    private struct Turn {
        let from: Timestamp
        let index: Int
        let shift: Int
        let zone: CalendarZone
        let length: Length
    }

    private let series: CalendarSeries
    private let range: Range<Timestamp>
    private let limit: Int
    private let stepLimit: Int
    private var found: [Occurrence] = []
    private var findings: [Diagnostic] = []
    private var isComplete = true
    /// Occurrences that are left out of the series: exceptions, and those that an override describes.
    private var left: Set<Key> = []
    private var seen: Set<Key> = []
    private var turns: [Turn] = []
    /// The zones that were looked for, by TZID.
    private var zones: [String: CalendarZone] = [:]

    init(_ series: CalendarSeries, range: Range<Timestamp>, limit: Int, stepLimit: Int) {
        self.series = series
        self.range = range
        self.limit = limit
        self.stepLimit = stepLimit
    }

    mutating func expand() -> CalendarSeries.Expansion {
        let master = series.master
        if let master, let anchor = master.anchor {
            for moment in master.exceptions { left.insert(key(moment, of: anchor)) }
        }
        for (index, item) in series.overrides.enumerated() { take(override: item, at: index) }
        turns.sort { $0.from < $1.from }
        if let master, let anchor = master.anchor {
            expandRule(of: master, from: anchor)
            for addition in master.additions { take(addition, of: master, from: anchor) }
        }
        found.sort { ($0.span.lowerBound, $0.span.upperBound) < ($1.span.lowerBound, $1.span.upperBound) }
        if found.count > limit {
            found.removeLast(found.count - limit)
            isComplete = false
        }
        if !isComplete {
            findings.append(ICalendarFinding.occurrences.at(Place(field: "RRULE"), ["limit": String(limit)]))
        }
        return .init(occurrences: found, isComplete: isComplete, findings: findings)
    }

    // MARK: - Overrides

    private mutating func take(override item: CalendarItem, at index: Int) {
        guard let recurrence = item.recurrence else { return }
        let master = series.master?.anchor
        let start = item.anchor ?? recurrence
        // Without a beginning of its own it only changes other properties.
        let zone = zone(of: start)
        let key = key(recurrence, of: master ?? recurrence)
        // An exception of a later revision takes away what was changed before.
        if left.contains(key), series.master?.sequence ?? 0 > item.sequence { return }
        left.insert(key)
        guard seen.insert(key).inserted else { return }
        add(start, zone.instant(of: start.wall), length(of: item, zone), recurrence, index)
        guard item.isThisAndFuture else { return }
        let from = instant(recurrence, of: master ?? recurrence)
        let shift = start.wall.seconds - zone.wall(at: from).seconds
        turns.append(Turn(from: from, index: index, shift: shift, zone: zone, length: length(of: item, zone)))
    }

    // MARK: - Master

    private mutating func expandRule(of master: CalendarItem, from anchor: CalendarMoment) {
        let zone = zone(of: anchor)
        let length = length(of: master, zone)
        guard let rule = master.rule else { return place(anchor, zone, length) }
        let last = last(of: rule, zone)
        // How some programs write that no occurrence is left.
        if let last, last < anchor.wall { return }
        place(anchor, zone, length)
        var walls = RecurrenceWalls(rule, from: anchor.wall)
        guard walls.isUnderstood else {
            findings.append(ICalendarFinding.rule.at(Place(field: "RRULE", value: rule.text)))
            return
        }
        // A turn may move occurrences by some time, and zones are less than a day apart.
        let margin = 2 * 86_400 + (turns.map { abs($0.shift) }.max() ?? 0)
        let reach = ([length] + turns.map(\.length)).map(Self.longest).max() ?? 0
        let first = WallTime(seconds: range.lowerBound.clampedSeconds - margin - reach)
        let end = WallTime(seconds: range.upperBound.clampedSeconds + margin)
        if rule.count == nil { walls.skip(to: first) }
        var (steps, count) = (0, 1)
        let others = found.count
        while let wall = walls.next() {
            if wall <= anchor.wall { continue }
            count += 1
            guard count <= rule.count ?? .max, wall <= last ?? wall, wall < end else { return }
            steps += 1
            guard steps <= stepLimit, found.count - others <= limit else {
                isComplete = false
                return
            }
            if wall >= first { place(anchor.with(wall), zone, length) }
        }
    }

    /// What the clock of the series shows at its UNTIL; a day counts as a whole.
    private func last(of rule: RecurrenceRule, _ zone: CalendarZone) -> WallTime? {
        switch rule.until {
        case .utc(let time): zone.wall(at: Timestamp(seconds: time.seconds))
        case .day(let day): WallTime(day, second: 86_399)
        case .floating(let time), .zoned(let time, _): time
        case nil: nil
        }
    }

    private mutating func take(
        _ addition: CalendarItem.Addition, of master: CalendarItem, from anchor: CalendarMoment
    ) {
        var start = addition.start
        // A day among times means the time of the series on that day.
        if start.isDay, !anchor.isDay {
            start = anchor.with(WallTime(start.wall.day, second: anchor.wall.second))
        } else if !start.isDay, anchor.isDay {
            start = .day(start.wall.day)
        }
        let zone = zone(of: start)
        let length = addition.duration.map { Length.nominal($0) } ?? length(of: master, zone)
        place(start, zone, length)
    }

    /// Adds an occurrence of the series, unless it is left out, was there before, or something replaces it.
    private mutating func place(_ moment: CalendarMoment, _ zone: CalendarZone, _ length: Length) {
        let instant = zone.instant(of: moment.wall)
        let key: Key = moment.isDay ? .day(moment.wall.day) : .instant(instant)
        guard !left.contains(key), !left.contains(.day(moment.wall.day)) else { return }
        guard seen.insert(key).inserted else { return }
        guard let turn = turn(at: instant) else {
            return add(moment, instant, length, moment, nil)
        }
        let start = series.overrides[turn.index].anchor ?? moment
        let wall = WallTime(seconds: turn.zone.wall(at: instant).seconds + turn.shift)
        add(start.with(wall), turn.zone.instant(of: wall), turn.length, moment, turn.index)
    }

    /// The last turn that is not behind an instant.
    private func turn(at instant: Timestamp) -> Turn? {
        var (low, high) = (0, turns.count)
        while low < high {
            let middle = (low + high) / 2
            if turns[middle].from <= instant { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : turns[low - 1]
    }

    private mutating func add(
        _ start: CalendarMoment, _ instant: Timestamp, _ length: Length, _ recurrence: CalendarMoment,
        _ index: Int?
    ) {
        let end = max(end(of: start, instant, length), instant)
        let occurrence = Occurrence(
            recurrence: recurrence, start: start, span: instant..<end, override: index)
        if occurrence.overlaps(range) { found.append(occurrence) }
    }

    // MARK: - Lengths

    private mutating func length(of item: CalendarItem, _ zone: CalendarZone) -> Length {
        guard let start = item.start else { return .seconds(0) }
        // Both must not be, and where they are the end is what people see (Thunderbird writes DURATION:PT0S
        // beside it).
        guard let end = item.end else {
            guard let duration = item.duration else {
                return start.isDay && item.kind != .task ? .days(1) : .seconds(0)
            }
            return start.isDay && duration.seconds == 0 ? .days(duration.days) : .nominal(duration)
        }
        if start.isDay, end.isDay {
            // A day that ends where it begins is one day, as many write it.
            return .days(max(end.wall.day.daysSince1970 - start.wall.day.daysSince1970, 1))
        }
        let (first, last) = (zone.instant(of: start.wall), instant(of: end))
        return .seconds(max(last.seconds - first.seconds, 0))
    }

    private mutating func end(of start: CalendarMoment, _ instant: Timestamp, _ length: Length) -> Timestamp {
        switch length {
        case .seconds(let seconds): return Timestamp(seconds: instant.seconds + seconds)
        case .days(let days):
            return zone(of: start).instant(of: WallTime(seconds: start.wall.seconds + days * 86_400))
        case .nominal(let duration):
            let wall = WallTime(seconds: start.wall.seconds + duration.days * 86_400)
            return Timestamp(seconds: zone(of: start).instant(of: wall).seconds + duration.seconds)
        }
    }

    private static func longest(_ length: Length) -> Int {
        switch length {
        case .seconds(let seconds): seconds
        case .days(let days): days * 86_400
        case .nominal(let duration): duration.days * 86_400 + duration.seconds
        }
    }

    // MARK: - Moments

    private mutating func instant(of moment: CalendarMoment) -> Timestamp {
        zone(of: moment).instant(of: moment.wall)
    }

    /// The zone of a moment; the local one, with a finding, where nothing says what it is.
    private mutating func zone(of moment: CalendarMoment) -> CalendarZone {
        guard case .zoned(_, let name) = moment else { return series.zones.zone(of: moment) ?? .utc }
        if let zone = zones[name] { return zone }
        let zone = series.zones.zone(name)
        if zone == nil, findings.count < ContentLimits.findings {
            findings.append(ICalendarFinding.zone.at(Place(field: "TZID", value: name)))
        }
        zones[name] = zone ?? series.zones.local
        return zone ?? series.zones.local
    }

    /// The instant of a moment that names an occurrence of a series; a day among times is that day's
    /// occurrence.
    private mutating func instant(_ moment: CalendarMoment, of anchor: CalendarMoment) -> Timestamp {
        guard moment.isDay, !anchor.isDay else { return instant(of: moment) }
        return instant(of: anchor.with(moment.wall))
    }

    private mutating func key(_ moment: CalendarMoment, of anchor: CalendarMoment) -> Key {
        moment.isDay || anchor.isDay ? .day(moment.wall.day) : .instant(instant(of: moment))
    }
}
