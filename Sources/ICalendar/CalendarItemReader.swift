// SPDX-License-Identifier: Apache-2.0
// Reads the properties of a component, and notes what is wrong with each.

internal import Diagnostics

/// A reader of one component.
struct CalendarItemReader {
    private let component: Component
    private var item = CalendarItem()

    init(_ component: Component) {
        self.component = component
    }

    mutating func read() -> CalendarItem {
        item.kind = CalendarObject.Kind(rawValue: component.name) ?? .event
        for line in component.properties { take(line) }
        if item.lastModified == nil {
            item.lastModified = component["DTSTAMP"].flatMap { CalendarMoment($0) }
        }
        for alarm in component.components("VALARM") {
            if let read = CalendarAlarm(alarm) {
                item.alarms.append(read)
            } else {
                let line = alarm["TRIGGER"]
                let place = Place(line: line?.number ?? alarm.number, field: "TRIGGER", value: line?.value)
                note(.value, at: place)
            }
        }
        checkTimes()
        return item
    }

    private mutating func take(_ line: ContentLine) {
        switch line.name {
        case "UID": item.uid = line.text.trimmingBlanks
        case "SUMMARY": item.summary = item.summary ?? text(line)
        case "DESCRIPTION": item.details = item.details ?? text(line)
        case "LOCATION": item.location = item.location ?? text(line)
        case "URL": item.url = item.url ?? text(line)
        case "STATUS": item.status = known(line)
        case "TRANSP": item.isTransparent = line.value.trimmingBlanks.uppercased() == "TRANSPARENT"
        case "CLASS": item.privacy = .init(rawValue: line.value.trimmingBlanks.uppercased()) ?? .owner
        case "CATEGORIES": item.categories += line.list.map(\.trimmingBlanks).filter { !$0.isEmpty }
        case "PRIORITY": item.priority = number(line, 0...9).flatMap { $0 == 0 ? nil : $0 }
        case "PERCENT-COMPLETE": item.percent = number(line, 0...100)
        case "SEQUENCE": item.sequence = number(line, 0...Int(Int32.max)) ?? 0
        case "ORGANIZER": item.organizer = CalendarPerson(line)
        case "ATTENDEE": item.attendees.append(CalendarPerson(line))
        default: takeTime(line)
        }
    }

    private mutating func takeTime(_ line: ContentLine) {
        switch line.name {
        case "DTSTART": item.start = moment(line)
        case "DTEND" where item.kind != .task: item.end = moment(line)
        case "DUE" where item.kind == .task: item.end = moment(line)
        case "DURATION": item.duration = duration(line)
        case "COMPLETED": item.completed = moment(line)
        case "CREATED": item.created = moment(line)
        case "LAST-MODIFIED": item.lastModified = moment(line)
        case "RECURRENCE-ID":
            item.recurrence = moment(line)
            item.isThisAndFuture = line["RANGE"]?.uppercased() == "THISANDFUTURE"
        case "RRULE": takeRule(line)
        case "RDATE":
            for value in dates(line, besides: item.additions.count) { takeAddition(value, line) }
        case "EXDATE":
            for value in dates(line, besides: item.exceptions.count) {
                if let moment = moment(value, line) { item.exceptions.append(moment) }
            }
        default: break
        }
    }

    // MARK: - Values

    private func text(_ line: ContentLine) -> String? {
        let text = line.text
        return text.isEmpty ? nil : text
    }

    private mutating func known<Value: RawRepresentable<String>>(_ line: ContentLine) -> Value? {
        let value = Value(rawValue: line.value.trimmingBlanks.uppercased())
        if value == nil { note(.value, line) }
        return value
    }

    private mutating func number(_ line: ContentLine, _ range: ClosedRange<Int>) -> Int? {
        guard let number = Int(line.value.trimmingBlanks), range.contains(number) else {
            note(.value, line)
            return nil
        }
        return number
    }

    private mutating func moment(_ line: ContentLine) -> CalendarMoment? { moment(line.value[...], line) }

    private mutating func moment(_ value: Substring, _ line: ContentLine) -> CalendarMoment? {
        let isDay = line["VALUE"]?.uppercased() == "DATE"
        let moment = CalendarMoment(String(value), zone: line["TZID"], isDay: isDay)
        if moment == nil { note(.value, line, value) }
        return moment
    }

    private mutating func duration(_ line: ContentLine) -> CalendarDuration? {
        guard let duration = CalendarDuration(line.value), !duration.isNegative else {
            note(.value, line)
            return nil
        }
        return duration
    }

    // MARK: - Recurrence

    private mutating func takeRule(_ line: ContentLine) {
        guard let rule = RecurrenceRule(line.value) else { return note(.rule, line) }
        // More than one rule SHOULD NOT be (RFC 5545, 3.8.5.3), and nothing that is in use writes it.
        guard item.rule == nil else { return note(.rule, line) }
        item.rule = rule
    }

    private mutating func takeAddition(_ value: Substring, _ line: ContentLine) {
        let parts = value.split(separator: "/", omittingEmptySubsequences: false)
        guard let start = moment(parts[0], line) else { return }
        guard parts.count == 2 else {
            item.additions.append(.init(start: start, duration: nil))
            return
        }
        let length = CalendarDuration(String(parts[1])) ?? length(from: start, to: parts[1], line)
        guard let length, !length.isNegative else { return note(.value, line, value) }
        item.additions.append(.init(start: start, duration: length))
    }

    private func length(
        from start: CalendarMoment, to end: Substring, _ line: ContentLine
    ) -> CalendarDuration? {
        CalendarMoment(String(end), zone: line["TZID"]).map {
            CalendarDuration(seconds: $0.wall.seconds - start.wall.seconds)
        }
    }

    /// The values of a list of dates, up to the limit.
    private mutating func dates(_ line: ContentLine, besides count: Int) -> [Substring] {
        let room = CalendarItem.dateLimit - count
        let values = line.value.split(separator: ",", maxSplits: max(room, 0))
        guard values.count > room else { return values }
        note(.dates, line, "", ["limit": String(CalendarItem.dateLimit)])
        return Array(values.prefix(max(room, 0)))
    }

    // MARK: - Findings

    private mutating func checkTimes() {
        guard let start = item.start, let end = item.end, end.isDay == start.isDay else { return }
        let haveOneClock: Bool =
            switch (start, end) {
            case (.zoned(_, let first), .zoned(_, let second)): first == second
            case (.utc, .utc), (.floating, .floating), (.day, .day): true
            default: false
            }
        guard haveOneClock, end.wall < start.wall else { return }
        if let line = component[item.kind == .task ? "DUE" : "DTEND"] { note(.endBeforeStart, line) }
        item.end = nil
    }

    private mutating func note(
        _ finding: ICalendarFinding, _ line: ContentLine, _ value: Substring? = nil,
        _ facts: [String: String] = [:]
    ) {
        let value = String((value ?? line.value[...]).prefix(200))
        note(finding, at: Place(line: line.number, field: line.name, value: value), facts)
    }

    private mutating func note(_ finding: ICalendarFinding, at place: Place, _ facts: [String: String] = [:])
    {
        if item.findings.count < ContentLimits.findings { item.findings.append(finding.at(place, facts)) }
    }
}
