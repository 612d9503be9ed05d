// SPDX-License-Identifier: Apache-2.0
// `/agenda/items/12`: something that is planned, to be changed, moved, finished or deleted.

internal import CRM
internal import Diagnostics
internal import ICalendar
internal import Model
internal import Words

/// The form of something planned.
struct AgendaItemPage: Page {
    /// The form that writes it to the timeline of its account.
    struct Finish: Sendable {
        let url: String
        let account: String
        let channels: [Choice]
    }

    /// The form that deletes it.
    struct Remove: Sendable {
        let url: String
    }

    static let template = "agenda-item"
    static let entry = "/agenda"
    let title: String
    let backURL: String
    let action: String
    let etag: String
    let form: AgendaForm.View
    /// Why its times are not changed here.
    let seriesNote: String?
    let accountURL: String?
    let finish: Finish?
    let remove: Remove?
    let problem: Problem?
}

/// What was typed of something planned.
struct AgendaForm: Sendable {
    /// The form as its template sees it.
    struct View: Sendable {
        let title: String
        let day: String
        let lastDay: String
        let start: String
        let end: String
        let isAllDay: Bool
        let hasTime: Bool
        let location: String
        let account: String
        let details: String
        let titleError: String?
        let dayError: String?
        let endError: String?
        let accountError: String?
    }

    var title = ""
    var day = ""
    /// The last day of what takes several; empty for one.
    var lastDay = ""
    var start = "09:00"
    var end = "10:00"
    var isAllDay = false
    var location = ""
    var account = ""
    var details = ""
    /// Whether its time can be changed here.
    var hasTime = true

    /// A blank form of a day.
    init(day: CalendarDate, start: String? = nil, account: String = "") {
        self.day = day.description
        self.account = account
        if let start, let minute = Self.minute(start) {
            self.start = Self.clock(minute)
            end = Self.clock(min(minute + 60, 1439))
        }
    }

    /// What is known of something.
    init(_ entry: AgendaEntry, _ saying: Saying) {
        title = entry.title
        (location, details) = (entry.location ?? "", entry.details ?? "")
        account = entry.partyName ?? ""
        hasTime = !entry.isSeries && entry.span != nil
        guard let span = entry.span else { return }
        isAllDay = span.isAllDay
        let first = saying.words.day(span.start, in: saying.zone)
        let last = saying.words.day(
            span.isAllDay
                ? Timestamp(microsecondsSince1970: span.end.microsecondsSince1970 - 1) : span.end,
            in: saying.zone)
        (day, lastDay) = (first.description, last == first ? "" : last.description)
        guard !span.isAllDay else { return }
        start = saying.clock(span.start)
        end = saying.clock(span.end)
    }

    /// What was sent.
    init(_ form: Form) {
        title = form.text("title")
        (day, lastDay) = (form.text("day"), form.text("last_day"))
        (start, end) = (form.text("start"), form.text("end"))
        isAllDay = form.isOn("all_day")
        location = form.text("location")
        account = String(form.text("account").prefix(200))
        // Browsers send the line ends of their own.
        details = form.text("details").replacing("\r\n", with: "\n")
        hasTime = form["day"] != nil
    }

    /// The time, and what is wrong with the inputs by their names: keys of the catalogue.
    var read: (time: AgendaFields.Time?, faults: [String: String]) {
        var faults: [String: String] = [:]
        if title.isEmpty { faults["title"] = "page.agenda.fault.title" }
        guard hasTime else { return (nil, faults) }
        guard let first = try? Saying.day(day, field: "day") else {
            return (nil, faults.merging(["day": "page.agenda.fault.day"]) { $1 })
        }
        guard let last = lastDay.isEmpty ? first : try? Saying.day(lastDay, field: "last_day"), last >= first
        else {
            return (nil, faults.merging(["end": "page.agenda.fault.lastDay"]) { $1 })
        }
        if isAllDay {
            let time = AgendaFields.Time(
                start: WallTime(first), end: WallTime(last.adding(1)), isAllDay: true)
            return (time, faults)
        }
        guard let from = Self.minute(start), let until = Self.minute(end) else {
            return (nil, faults.merging(["end": "page.agenda.fault.clock"]) { $1 })
        }
        let time = AgendaFields.Time(
            start: WallTime(first, second: from * 60), end: WallTime(last, second: until * 60),
            isAllDay: false)
        if time.end < time.start { faults["end"] = "page.agenda.fault.end" }
        return (time, faults)
    }

    /// What was typed instead of what is known, as far as a field of one line shows that; nil for nothing new.
    ///
    /// A device may have written several lines, or blanks at the ends: they stay unless the text itself changes.
    static func change(of typed: String, from known: String?) -> String? {
        func shown(_ text: String) -> String { text.filter { !$0.isNewline }.trimmingBlanks }
        return shown(typed) == shown(known ?? "") ? nil : typed
    }

    /// `09:15`, `9h15` or `9h` as minutes since midnight; nil for anything else.
    static func minute(_ text: String) -> Int? {
        guard let match = text.trimmingBlanks.wholeMatch(of: #/(\d{1,2})\s*[:hH]\s*(\d{2})?(?::\d{2})?/#),
            let hour = Int(match.output.1), hour < 24, let minute = Int(match.output.2 ?? "0"), minute < 60
        else { return nil }
        return hour * 60 + minute
    }

    private static func clock(_ minute: Int) -> String {
        [minute / 60, minute % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }

    func view(_ faults: [String: String], _ words: Words) -> View {
        let errors = faults.mapValues { words($0) }
        return View(
            title: title, day: day, lastDay: lastDay, start: start, end: end, isAllDay: isAllDay,
            hasTime: hasTime, location: location, account: account, details: details,
            titleError: errors["title"], dayError: errors["day"], endError: errors["end"],
            accountError: errors["account"])
    }
}
