// SPDX-License-Identifier: Apache-2.0
// A schedule in words, and its next times by the clock of its zone.

internal import Hub
internal import Model
internal import Schedule
internal import Words

/// Says schedules.
struct ScheduleTexts: Sendable {
    let words: Words

    /// `Du lundi au vendredi à 06:15, sauf les jours fériés`.
    func rule(_ times: Schedule) -> String {
        let parts = times.cron.parts
        let days = days(parts)
        let clock = clock(parts)
        let isOften = parts.hours.count == 24 && days == nil
        let rule =
            isOften
            ? clock : words("schedule.rule", ["days": days ?? words("schedule.daily"), "times": clock])
        let all = times.holidays == nil ? rule : words("schedule.noHolidays", ["rule": rule])
        return all.prefix(1).uppercased() + all.dropFirst()
    }

    /// When a flow runs, with its zone; what lets it run where the clock does not.
    func rule(of flow: FlowDefinition) -> String {
        guard let schedule = flow.schedule else {
            return words(flow.runsOnArrival ? "schedule.onArrival" : "schedule.byHand")
        }
        return "\(rule(schedule.times)) (\(schedule.zone))"
    }

    /// The next times, by the clock of the zone; a change of the clock is said.
    func next(_ schedule: FlowSchedule, _ count: Int = 5, after now: Timestamp) -> [String] {
        schedule.times.next(count, after: now).map { time in
            let text = words.momentShort(time, now: now, in: schedule.zone)
            return switch schedule.times.oddity(of: time) {
            case nil: text
            case .skipped(let minute):
                words("schedule.skipped", ["at": text, "missing": Self.clock(minute / 60, minute % 60)])
            case .twice: words("schedule.twice", ["at": text])
            }
        }
    }

    /// What becomes of times missed, and of those that come too soon.
    func policies(_ schedule: FlowSchedule) -> [String] {
        [
            words("schedule.missed.\(schedule.missed.rawValue)", ["count": String(schedule.missedLimit)]),
            words("schedule.overlap.\(schedule.overlap.rawValue)"),
        ].map { $0.prefix(1).uppercased() + $0.dropFirst() }
    }

    // MARK: - Times of a day

    private func clock(_ parts: CronExpression.Parts) -> String {
        let (hours, minutes) = (parts.hours, parts.minutes)
        if hours.count == 24 {
            if minutes == [0] { return words("schedule.hourly") }
            if let step = Self.step(minutes) { return words("schedule.everyMinutes", count: step) }
            return words("schedule.hourlyAt", ["minutes": list(minutes.map(Self.two))])
        }
        let isRange = hours.count > 1 && hours.last.map { $0 - (hours.first ?? 0) } == hours.count - 1
        if hours.count * minutes.count <= 6 {
            return words(
                "schedule.at",
                ["times": list(hours.flatMap { hour in minutes.map { Self.clock(hour, $0) } })])
        }
        if isRange, minutes.count == 1 || Self.step(minutes) != nil {
            let often =
                minutes.count == 1
                ? words("schedule.hourly") : words("schedule.everyMinutes", count: Self.step(minutes) ?? 1)
            return words(
                "schedule.between",
                [
                    "often": often, "from": Self.clock(hours.first ?? 0, minutes.first ?? 0),
                    "to": Self.clock(hours.last ?? 0, minutes.last ?? 0),
                ])
        }
        return words(
            "schedule.hoursAndMinutes",
            ["hours": list(hours.map(String.init)), "minutes": list(minutes.map(Self.two))])
    }

    /// How many minutes lie between equal steps through the hour; nil for anything else.
    private static func step(_ minutes: [Int]) -> Int? {
        guard minutes.count > 1, 60 % minutes.count == 0 else { return nil }
        let step = 60 / minutes.count
        return minutes == Array(stride(from: 0, to: 60, by: step)) ? step : nil
    }

    // MARK: - Days

    /// nil where every day is meant.
    private func days(_ parts: CronExpression.Parts) -> String? {
        let weekdays = parts.weekdays.map(weekdays)
        let dates = parts.days.map { days in
            words("schedule.dates", ["days": list(days.map { $0 == 1 ? words("day.first") : String($0) })])
        }
        let months = parts.months.map { months in
            words("schedule.months", ["months": list(months.map { words("schedule.month.\($0)") })])
        }
        let named =
            if let weekdays, let dates {
                words(
                    parts.isEither ? "schedule.either" : "schedule.both", ["one": dates, "other": weekdays])
            } else {
                dates ?? weekdays
            }
        guard let months else { return named }
        return words("schedule.inMonths", ["days": named ?? words("schedule.daily"), "months": months])
    }

    /// Monday is the first, as people count.
    private func weekdays(_ days: [Int]) -> String {
        let ordered = days.map { ($0 + 6) % 7 }.sorted()
        let names = ordered.map { words("schedule.weekday.\(($0 + 1) % 7)") }
        if let first = ordered.first, let last = ordered.last, names.count > 2,
            last - first == names.count - 1
        {
            return words("schedule.fromTo", ["from": names.first ?? "", "to": names.last ?? ""])
        }
        return words("schedule.weekdays", ["days": list(names)])
    }

    // MARK: - Words

    private func list(_ items: [String]) -> String {
        guard items.count > 1, let last = items.last else { return items.first ?? "" }
        return words("schedule.and", ["first": items.dropLast().joined(separator: ", "), "last": last])
    }

    private static func clock(_ hour: Int, _ minute: Int) -> String { "\(two(hour)):\(two(minute))" }
    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
