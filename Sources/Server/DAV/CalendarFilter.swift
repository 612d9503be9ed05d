// SPDX-License-Identifier: Apache-2.0
// What a calendar-query looks for: components, their properties, and when they take place.

internal import HTTPTypes
internal import ICalendar
internal import Model
internal import XML

/// A condition on a component and what is inside it.
///
/// - Source: RFC 4791, 9.7.
struct ComponentFilter: Sendable {
    let name: String
    let isAbsent: Bool
    let properties: [PropertyFilter]
    let components: [ComponentFilter]
    let time: TimeRange?

    init(_ element: XMLTree) throws(DAVRefusal) {
        guard let name = element.attribute("name")?.uppercased() else {
            throw DAVRefusal(.forbidden, .calendar("valid-filter"))
        }
        self.name = name
        isAbsent = element.child(.calendar("is-not-defined")) != nil
        var properties: [PropertyFilter] = []
        var components: [ComponentFilter] = []
        for child in element.children {
            switch child.name {
            case .calendar("prop-filter"): properties.append(try PropertyFilter(child))
            case .calendar("comp-filter"): components.append(try ComponentFilter(child))
            case .calendar("time-range"), .calendar("is-not-defined"): break
            default: throw DAVRefusal(.forbidden, .calendar("supported-filter"))
            }
        }
        (self.properties, self.components) = (properties, components)
        if let range = element.child(.calendar("time-range")) {
            time = try TimeRange(range)
        } else {
            time = nil
        }
    }

    /// Whether a component that has the name is meant; when it takes place is looked at elsewhere.
    func matches(_ component: Component) -> Bool {
        properties.allSatisfy { $0.matches(component) }
            && components.allSatisfy { $0.matches(among: component.components) }
    }

    /// Whether one of these is meant.
    func matches(among all: [Component]) -> Bool {
        let named = all.filter { $0.name == name }
        return isAbsent ? named.isEmpty : named.contains(where: matches)
    }
}

/// A condition on the properties of a name.
struct PropertyFilter: Sendable {
    private let name: String
    private let isAbsent: Bool
    private let match: TextMatch?
    private let parameters: [ParameterFilter]

    init(_ element: XMLTree) throws(DAVRefusal) {
        name = element.attribute("name")?.uppercased() ?? ""
        isAbsent = element.child(.calendar("is-not-defined")) != nil
        guard element.child(.calendar("time-range")) == nil else {
            throw DAVRefusal(.forbidden, .calendar("supported-filter"))
        }
        if let text = element.child(.calendar("text-match")) {
            match = try TextMatch(text, collation: "i;ascii-casemap")
        } else {
            match = nil
        }
        var parameters: [ParameterFilter] = []
        for child in element.children where child.name == .calendar("param-filter") {
            parameters.append(try ParameterFilter(child, collation: "i;ascii-casemap"))
        }
        self.parameters = parameters
    }

    func matches(_ component: Component) -> Bool {
        let lines = component.properties(name)
        guard !isAbsent else { return lines.isEmpty }
        return lines.contains { line in
            match?.matches(line.text) ?? true && parameters.allSatisfy { $0.matches(line) }
        }
    }
}

/// From a moment to another, in seconds since 1970; one of them may be missing.
struct TimeRange: Sendable, Hashable {
    let start: Int?
    let end: Int?

    /// What a filter says: moments in UTC.
    ///
    /// - Source: RFC 4791, 9.9.
    init(_ element: XMLTree) throws(DAVRefusal) {
        let refusal = DAVRefusal(.forbidden, .calendar("valid-filter"))
        func moment(_ name: String) throws(DAVRefusal) -> Int? {
            guard let text = element.attribute(name) else { return nil }
            guard let moment = Self.moment(text) else { throw refusal }
            return moment
        }
        (start, end) = (try moment("start"), try moment("end"))
        guard start != nil || end != nil, (start ?? .min) < (end ?? .max) else { throw refusal }
    }

    /// `20260101T000000Z`.
    private static func moment(_ text: String) -> Int? {
        guard let match = text.wholeMatch(of: /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/),
            let year = Int(match.1), let month = Int(match.2), let day = Int(match.3),
            let hour = Int(match.4),
            let minute = Int(match.5), let second = Int(match.6), hour < 24, minute < 60, second <= 60,
            let date = CalendarDate(year: year, month: month, day: day)
        else { return nil }
        return date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
    }
}
