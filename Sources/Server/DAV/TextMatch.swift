// SPDX-License-Identifier: Apache-2.0
// Filters on texts, which agendas and address books share.

internal import Foundation
internal import HTTPTypes
internal import ICalendar
internal import XML

/// A text that is looked for.
struct TextMatch: Sendable {
    private enum Place: String {
        case equals
        case contains
        case startsWith = "starts-with"
        case endsWith = "ends-with"
    }

    private let text: String
    private let place: Place
    private let isNegated: Bool
    private let fold: @Sendable (String) -> String

    /// What a filter says.
    ///
    /// - Parameter collation: the one that is meant where it says none.
    /// - Throws: 403 for a collation or a way of matching that is not known.
    /// - Source: RFC 4791, 9.7.5; RFC 6352, 10.5.4; RFC 4790, 9.2 and 9.3; RFC 5051.
    init(_ element: XMLTree, collation: String) throws(DAVRefusal) {
        switch element.attribute("collation") ?? collation {
        case "i;ascii-casemap", "default":
            fold = { text in
                String(
                    decoding: text.utf8.map { 65...90 ~= $0 ? $0 + 32 : $0 }, as: UTF8.self)
            }
        case "i;unicode-casemap": fold = { $0.lowercased() }
        case "i;octet": fold = { $0 }
        default:
            let space = element.name.namespace
            throw DAVRefusal(.forbidden, XMLName("supported-collation", namespace: space))
        }
        guard let place = Place(rawValue: element.attribute("match-type") ?? "contains") else {
            throw DAVRefusal(.forbidden, XMLName("supported-filter", namespace: element.name.namespace))
        }
        self.place = place
        isNegated = element.attribute("negate-condition") == "yes"
        text = fold(element.text)
    }

    /// Whether a value is meant.
    func matches(_ value: String) -> Bool {
        let value = fold(value)
        let isFound =
            switch place {
            case .equals: Array(value.utf8) == Array(text.utf8)
            case .contains: text.isEmpty || value.utf8.contains(text.utf8)
            case .startsWith: value.utf8.starts(with: text.utf8)
            case .endsWith: value.utf8.reversed().starts(with: text.utf8.reversed())
            }
        return isFound != isNegated
    }
}

/// A condition on a parameter of a property.
struct ParameterFilter: Sendable {
    private let name: String
    private let isAbsent: Bool
    private let match: TextMatch?

    init(_ element: XMLTree, collation: String) throws(DAVRefusal) {
        let space = element.name.namespace
        name = element.attribute("name")?.uppercased() ?? ""
        isAbsent = element.child(XMLName("is-not-defined", namespace: space)) != nil
        if let text = element.child(XMLName("text-match", namespace: space)) {
            match = try TextMatch(text, collation: collation)
        } else {
            match = nil
        }
    }

    func matches(_ line: ContentLine) -> Bool {
        let values = line.values(of: name)
        guard !isAbsent else { return values.isEmpty }
        guard let match else { return !values.isEmpty }
        return values.contains(where: match.matches)
    }
}
