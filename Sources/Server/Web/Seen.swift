// SPDX-License-Identifier: Apache-2.0
// Values of a page as templates see them, reflected once.

internal import Mustache

/// A value of a page whose fields are found by name without reflection.
///
/// The library reflects a value again for every name that a template asks of it, and of all that lie around it when it
/// has no such field: three quarters of the time of a list's page.
struct Seen: MustacheParent {
    private let fields: [String: Any]

    func child(named name: String) -> Any? { fields[name] }

    /// A field that holds nothing. It hides what lies around its value under the same name: the library by itself would
    /// show the page's phone for a person who has none.
    private struct Nothing: MustacheCustomRepresentation {
        var representation: Any? { nil }
    }

    /// A value for templates: what has names of its own or says itself in words stays what it is, arrays are arrays of
    /// such values, nil is nothing, and all else is seen by its fields.
    static func value(_ value: Any) -> Any? {
        switch value {
        case let text as String: text
        case let parent as any MustacheParent: parent
        case let several as [Any]: several.compactMap(Self.value)
        case let said as any CustomStringConvertible: said
        default: fields(of: value)
        }
    }

    private static func fields(of value: Any) -> Any? {
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.flatMap { Self.value($0.value) }
        case .struct:
            var fields: [String: Any] = [:]
            for case (let name?, let value) in mirror.children {
                fields[name] = Self.value(value) ?? Nothing()
            }
            return Seen(fields: fields)
        default: return value
        }
    }
}
