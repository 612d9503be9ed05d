// SPDX-License-Identifier: Apache-2.0
// An item of the CRM as a new iCalendar object; one that exists is patched instead.

package import Model

extension CalendarItem {
    /// The item as a VCALENDAR of its own, stamped with a moment. Zones are named, not described, as
    /// RFC 7809 lets servers do with IANA names.
    ///
    /// - Source: RFC 5545, 3.4 to 3.6.
    package func object(by program: String, at moment: Timestamp) -> [UInt8] {
        let frame = ["BEGIN", "END"].map { ContentLine($0, value: "VCALENDAR") }
        let head = [ContentLine("VERSION", value: "2.0"), ContentLine("PRODID", value: program)]
        return ContentLine.write([frame[0]] + head + lines(at: moment) + [frame[1]])
    }

    /// The item as a component, its BEGIN and END included.
    package func lines(at moment: Timestamp) -> [ContentLine] {
        let stamp = moment.iCalendarText
        var lines = [
            ContentLine("BEGIN", value: kind.rawValue), ContentLine("UID", value: ContentLine.escaped(uid)),
        ]
        lines.append(ContentLine("DTSTAMP", value: stamp))
        lines += created.map { [$0.line("CREATED")] } ?? []
        lines.append(ContentLine("LAST-MODIFIED", value: stamp))
        lines.append(ContentLine("SEQUENCE", value: String(sequence)))
        lines += timeLines + textLines + peopleLines
        lines += alarms.flatMap(\.lines)
        return lines + [ContentLine("END", value: kind.rawValue)]
    }

    private var timeLines: [ContentLine] {
        var lines: [ContentLine] = []
        if let recurrence {
            let range: [ContentLine.Parameter] = isThisAndFuture ? [.init("RANGE", ["THISANDFUTURE"])] : []
            lines.append(recurrence.line("RECURRENCE-ID", range))
        }
        lines += start.map { [$0.line("DTSTART")] } ?? []
        if let end {
            lines.append(end.line(kind == .task ? "DUE" : "DTEND"))
        } else if let duration {
            lines.append(ContentLine("DURATION", value: duration.text))
        }
        lines += rule.map { [ContentLine("RRULE", value: $0.text)] } ?? []
        lines += exceptions.map { $0.line("EXDATE") }
        lines += additions.map { addition in
            guard let duration = addition.duration else { return addition.start.line("RDATE") }
            let line = addition.start.line("RDATE")
            let zone = line.parameters.filter { $0.name == "TZID" }
            let value = "\(line.value)/\(duration.text)"
            return ContentLine("RDATE", [.init("VALUE", ["PERIOD"])] + zone, value: value)
        }
        return lines + (completed.map { [$0.line("COMPLETED")] } ?? [])
    }

    private var textLines: [ContentLine] {
        let texts = [("SUMMARY", summary), ("DESCRIPTION", details), ("LOCATION", location)]
        var lines = texts.compactMap { name, text in
            text.map { ContentLine(name, value: ContentLine.escaped($0)) }
        }
        lines += url.map { [ContentLine("URL", value: $0)] } ?? []
        lines += status.map { [ContentLine("STATUS", value: $0.rawValue)] } ?? []
        if isTransparent { lines.append(ContentLine("TRANSP", value: "TRANSPARENT")) }
        if privacy != .everybody { lines.append(ContentLine("CLASS", value: privacy.rawValue)) }
        if !categories.isEmpty {
            let value = categories.map(ContentLine.escaped).joined(separator: ",")
            lines.append(ContentLine("CATEGORIES", value: value))
        }
        lines += priority.map { [ContentLine("PRIORITY", value: String($0))] } ?? []
        return lines + (percent.map { [ContentLine("PERCENT-COMPLETE", value: String($0))] } ?? [])
    }

    private var peopleLines: [ContentLine] {
        (organizer.map { [$0.line("ORGANIZER")] } ?? []) + attendees.map { $0.line("ATTENDEE") }
    }
}

extension CalendarPerson {
    /// The property that names the person; an answer and a role only where they are not what is meant
    /// without.
    package func line(_ property: String) -> ContentLine {
        var parameters = name.map { [ContentLine.Parameter("CN", [$0])] } ?? []
        if property == "ATTENDEE" {
            if !isIndividual { parameters.append(.init("CUTYPE", ["RESOURCE"])) }
            if role != .required { parameters.append(.init("ROLE", [role.rawValue])) }
            parameters.append(.init("PARTSTAT", [participation.rawValue]))
            if expectsReply { parameters.append(.init("RSVP", ["TRUE"])) }
        }
        let isMail = address.contains("@") && !address.contains(":")
        return ContentLine(property, parameters, value: isMail ? "mailto:\(address)" : address)
    }
}

extension CalendarAlarm {
    /// The alarm as a component, its BEGIN and END included.
    package var lines: [ContentLine] {
        var lines = [ContentLine("BEGIN", value: "VALARM"), ContentLine("ACTION", value: action)]
        switch trigger {
        case .fromStart(let duration): lines.append(ContentLine("TRIGGER", value: duration.text))
        case .fromEnd(let duration):
            lines.append(ContentLine("TRIGGER", [.init("RELATED", ["END"])], value: duration.text))
        case .at(let time):
            let value = CalendarMoment.utc(time).text
            lines.append(ContentLine("TRIGGER", [.init("VALUE", ["DATE-TIME"])], value: value))
        }
        // DISPLAY and EMAIL require a text (RFC 5545, 3.6.6).
        if text != nil || action != "AUDIO" {
            lines.append(ContentLine("DESCRIPTION", value: ContentLine.escaped(text ?? "")))
        }
        lines += acknowledged.map { [ContentLine("ACKNOWLEDGED", value: CalendarMoment.utc($0).text)] } ?? []
        return lines + [ContentLine("END", value: "VALARM")]
    }
}
