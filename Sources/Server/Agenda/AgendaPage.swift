// SPDX-License-Identifier: Apache-2.0
// `/agenda/2026-W48`: where am I this week?

internal import CRM
internal import Model
internal import Words

/// A day, a week or a month of somebody's agenda as its template sees it.
struct AgendaPage: Page {
    /// A way to another view.
    struct View: Sendable {
        let title: String
        let url: String
        let isCurrent: Bool
    }

    /// An hour beside the days.
    struct Hour: Sendable {
        let kind: String
        let text: String
    }

    /// A day of the grid.
    struct Day: Sendable {
        /// `today`, `off`, or nothing; with how many columns it has.
        let kind: String
        let columns: String
        let date: String
        let label: String
        let weekday: String
        let number: String
        let newURL: String
        let allDay: [Chip]
        let slots: [Slot]
        let now: Now?
    }

    /// Something that takes whole days, or a line of a month's day.
    struct Chip: Sendable {
        let title: String
        let url: String
        let kind: String
        /// When it begins; nil for whole days.
        let at: String?
    }

    /// Something that takes a part of a day.
    struct Slot: Sendable {
        let kind: String
        let url: String
        let title: String
        let start: String
        let end: String
        let sub: String?
        let move: Move?
    }

    /// How it is moved without its page.
    struct Move: Sendable {
        let url: String
        let etag: String
        let start: String
        /// Minutes.
        let length: Int
    }

    /// The line of this moment.
    struct Now: Sendable {
        let kind: String
        let label: String
    }

    /// The weeks of a month.
    struct Month: Sendable {
        let weekdays: [String]
        let weeks: [Week]
    }

    struct Week: Sendable {
        let days: [MonthDay]
    }

    /// A day of a month.
    struct MonthDay: Sendable {
        let kind: String
        let label: String
        let number: String
        let url: String
        let chips: [Chip]
        /// What there is beside.
        let more: String?
    }

    static let template = "agenda"
    static let entry = "/agenda"
    let title: String
    let note: String?
    let sub: String
    let previousURL: String
    let previousLabel: String
    let todayURL: String
    let nextURL: String
    let nextLabel: String
    let views: [View]
    let newURL: String
    /// `week`, with where the day begins.
    let gridKind: String
    let firstHour: Int
    let hours: [Hour]
    let days: [Day]
    let month: Month?
    let isEmpty: Bool
}

/// Says what is in an agenda.
struct AgendaTexts {
    let period: AgendaPeriod
    let entries: [AgendaEntry]
    let owner: String
    let saying: Saying

    private var words: Words { saying.words }
    private var today: CalendarDate { words.day(saying.now, in: saying.zone) }

    var page: AgendaPage {
        let grids = period.isMonth ? [] : period.days.map { DayGrid($0, entries, saying) }
        let firstHour =
            grids.flatMap(\.timed).map { $0.quarters.lowerBound / 4 }.min().map { min($0, 8) } ?? 8
        let lastHour =
            grids.flatMap(\.timed).map { ($0.quarters.upperBound + 3) / 4 }.max().map { max($0, 19) } ?? 19
        let step = period.stepWord
        return AgendaPage(
            title: title, note: note, sub: words("page.agenda.of", ["name": owner]),
            previousURL: period.moved(by: -1).url, previousLabel: words("page.agenda.previous_\(step)"),
            todayURL: current.url, nextURL: period.moved(by: 1).url,
            nextLabel: words("page.agenda.next_\(step)"),
            views: [AgendaPeriod.day(anchor), AgendaPeriod(weekOf: anchor), AgendaPeriod(monthOf: anchor)].map
            {
                .init(
                    title: words("page.agenda.\($0.stepWord)"), url: $0.url,
                    isCurrent: $0.stepWord == step)
            },
            newURL: "/agenda/new?day=\(anchor)", gridKind: grids.count == 1 ? "week one" : "week",
            firstHour: firstHour,
            hours: grids.isEmpty
                ? []
                : (firstHour..<lastHour).map {
                    .init(kind: "h\($0) from\(firstHour)", text: "\($0 < 10 ? "0" : "")\($0):00")
                },
            days: grids.map { day($0, from: firstHour) }, month: month,
            isEmpty: entries.isEmpty)
    }

    /// The day that other views keep: today where it is shown.
    private var anchor: CalendarDate { period.contains(today) ? today : period.first }

    private var current: AgendaPeriod {
        switch period {
        case .day: .day(today)
        case .week: AgendaPeriod(weekOf: today)
        case .month: AgendaPeriod(monthOf: today)
        }
    }

    private var title: String {
        switch period {
        case .day(let day): return words.dateLong(day)
        case .week(let monday): return words.range(monday, monday.adding(6))
        case .month(let first):
            return words("page.agenda.month_\(first.parts.month)", ["year": String(first.parts.year)])
        }
    }

    private var note: String? {
        guard case .week(let monday) = period else { return nil }
        return words("page.agenda.number", ["week": String(monday.isoWeek.week)])
    }

    private func day(_ grid: DayGrid, from firstHour: Int) -> AgendaPage.Day {
        let day = grid.day
        let (places, count) = AgendaColumns.place(grid.timed.map(\.quarters))
        let isToday = day == today
        return AgendaPage.Day(
            kind: isToday ? "today" : day.isWeekend ? "off" : "",
            columns: count > 1 ? "n\(min(count, 6))" : "",
            date: day.description, label: words.dateLong(day), weekday: weekday(day),
            number: String(day.parts.day), newURL: "/agenda/new?day=\(day)",
            allDay: grid.whole.map { chip($0, at: nil) },
            slots: zip(grid.timed, places).map { slot($0, $1, from: firstHour, isAlone: count == 1) },
            now: isToday ? now(from: firstHour) : nil)
    }

    private func slot(
        _ timed: DayGrid.Timed, _ place: AgendaColumns.Place, from firstHour: Int, isAlone: Bool
    ) -> AgendaPage.Slot {
        let entry = timed.entry
        let quarters = timed.quarters
        var kinds = ["h\(quarters.lowerBound / 4)", "from\(firstHour)"]
        if quarters.lowerBound % 4 > 0 { kinds.append("q\(quarters.lowerBound % 4)") }
        kinds.append("d\(quarters.count)")
        if quarters.count <= 2 { kinds.append("short") }
        if !isAlone {
            kinds.append("k\(min(place.column, 6))")
            if place.isLast { kinds.append("last") }
        }
        kinds.append(contentsOf: Self.kinds(of: entry))
        return AgendaPage.Slot(
            kind: kinds.joined(separator: " "), url: "/agenda/items/\(entry.id)", title: title(of: entry),
            start: timed.start, end: timed.end, sub: sub(of: entry),
            move: entry.isSeries || entry.status == .done || !timed.isWhole
                ? nil
                : .init(
                    url: "/agenda/items/\(entry.id)/move", etag: entry.etag,
                    start: "\(timed.day)T\(timed.start)", length: timed.minutes))
    }

    /// What an entry looks like.
    private static func kinds(of entry: AgendaEntry) -> [String] {
        if entry.status == .done { return ["done"] }
        if entry.status == .tentative { return ["maybe"] }
        return entry.party == nil ? ["team"] : []
    }

    private func chip(_ entry: AgendaEntry, at: String?) -> AgendaPage.Chip {
        .init(
            title: title(of: entry), url: "/agenda/items/\(entry.id)",
            kind: Self.kinds(of: entry).joined(separator: " "), at: at)
    }

    private func title(of entry: AgendaEntry) -> String {
        entry.title.isEmpty ? words("page.agenda.untitled") : entry.title
    }

    private func sub(of entry: AgendaEntry) -> String? {
        let parts = [entry.partyName, entry.location].compactMap(\.self).filter { !$0.isEmpty }
        return parts.isEmpty ? nil : parts.joined(separator: "\u{A0}· ")
    }

    private func weekday(_ day: CalendarDate) -> String {
        words("weekday.\(((day.daysSince1970 + 4) % 7 + 7) % 7)")
    }

    private func now(from firstHour: Int) -> AgendaPage.Now? {
        let clock = saying.clock(saying.now)
        guard let minute = AgendaForm.minute(clock), minute / 60 >= firstHour else { return nil }
        let (hour, quarter) = (minute / 60, minute % 60 / 15)
        return .init(
            kind: "h\(hour) from\(firstHour)" + (quarter > 0 ? " q\(quarter)" : ""),
            label: words("page.agenda.now", ["time": clock]))
    }

    // MARK: - Month

    private var month: AgendaPage.Month? {
        guard case .month(let first) = period else { return nil }
        let days = period.days.map { day in
            let grid = DayGrid(day, entries, saying)
            let chips = grid.whole.map { chip($0, at: nil) } + grid.timed.map { chip($0.entry, at: $0.start) }
            let left = chips.count - 4
            return AgendaPage.MonthDay(
                kind: day == today
                    ? "today" : day.isInMonth(of: first) ? day.isWeekend ? "off" : "" : "off away",
                label: words.dateLong(day), number: String(day.parts.day), url: AgendaPeriod.day(day).url,
                chips: Array(chips.prefix(left > 0 ? 3 : 4)),
                more: left > 0 ? words("page.agenda.more", count: left + 1) : nil)
        }
        return AgendaPage.Month(
            weekdays: period.days.prefix(7).map(weekday),
            weeks: stride(from: 0, to: days.count, by: 7).map {
                .init(days: Array(days[$0..<min($0 + 7, days.count)]))
            })
    }
}

/// What takes place on one day.
private struct DayGrid {
    /// Something with a time on this day.
    struct Timed {
        let entry: AgendaEntry
        let day: CalendarDate
        /// Since midnight; at least one.
        let quarters: Range<Int>
        let start: String
        let end: String
        let minutes: Int
        /// Whether it neither began before nor goes on after.
        let isWhole: Bool
    }

    let day: CalendarDate
    let whole: [AgendaEntry]
    let timed: [Timed]

    init(_ day: CalendarDate, _ entries: [AgendaEntry], _ saying: Saying) {
        self.day = day
        let (midnight, next) = (saying.midnight(of: day), saying.midnight(of: day.adding(1)))
        var (whole, timed): ([AgendaEntry], [Timed]) = ([], [])
        for entry in entries {
            guard let span = entry.span, span.start < next, span.end > midnight || span.start >= midnight
            else {
                continue
            }
            // What goes on over the whole day reads better above it.
            if span.isAllDay || span.start <= midnight && span.end >= next {
                whole.append(entry)
            } else {
                timed.append(Self.timed(entry, span, day, midnight, next, saying))
            }
        }
        (self.whole, self.timed) = (whole, timed)
    }

    private static func timed(
        _ entry: AgendaEntry, _ span: AgendaSpan, _ day: CalendarDate, _ midnight: Timestamp,
        _ next: Timestamp,
        _ saying: Saying
    ) -> Timed {
        func quarter(_ time: Timestamp, roundedUp: Bool) -> Int {
            if time <= midnight { return 0 }
            if time >= next { return 96 }
            let minutes = AgendaForm.minute(saying.clock(time)) ?? 0
            return (minutes + (roundedUp ? 14 : 0)) / 15
        }
        let first = min(quarter(span.start, roundedUp: false), 95)
        let last = min(max(quarter(span.end, roundedUp: true), first + 1), 96)
        let length = span.end.microsecondsSince1970 - span.start.microsecondsSince1970
        return Timed(
            entry: entry, day: day, quarters: first..<last, start: saying.clock(span.start),
            end: saying.clock(span.end),
            minutes: Int(length / 60_000_000), isWhole: span.start >= midnight && span.end <= next)
    }
}

extension AgendaPeriod {
    var isMonth: Bool { if case .month = self { true } else { false } }

    /// What the catalogue calls it.
    var stepWord: String {
        switch self {
        case .day: "day"
        case .week: "week"
        case .month: "month"
        }
    }

    func contains(_ day: CalendarDate) -> Bool {
        switch self {
        case .day(let own): own == day
        case .week(let monday): day.monday == monday
        case .month(let first): day.isInMonth(of: first)
        }
    }
}
