// SPDX-License-Identifier: Apache-2.0
// One content line of iCalendar or vCard: a name, parameters, a value.

/// A property as it was written: values keep their escapes, and the place says which bytes wrote it.
///
/// - Source: RFC 5545, 3.1, and RFC 6350, 3.3, which share the form.
package struct ContentLine: Hashable, Sendable {
    /// A parameter and its values.
    package struct Parameter: Hashable, Sendable {
        /// The name in upper case. What vCard 2.1 writes without name is ENCODING, VALUE or TYPE.
        package let name: String
        /// The values without quotes, the escapes of RFC 6868 resolved.
        package let values: [String]

        /// A parameter to be written.
        package init(_ name: String, _ values: [String]) {
            self.name = name.uppercased()
            self.values = values
        }
    }

    /// The group in front of the name (`item1.TEL`), as written; only vCards have groups.
    package let group: String?
    /// The name in upper case.
    package let name: String
    /// The parameters in the order written.
    package let parameters: [Parameter]
    /// The value, unfolded, in the escapes that it was written in.
    package let value: String
    /// The bytes of the document that wrote it, its line ends included; empty for a line not yet written.
    package let place: Range<Int>
    /// The one-based line of the document that it begins in; 0 for a line not yet written.
    package let number: Int

    /// A line to be written; ``escaped(_:)`` makes a value of a text.
    package init(_ name: String, _ parameters: [Parameter] = [], value: String, group: String? = nil) {
        self.init(
            group: group, name: name.uppercased(), parameters: parameters, value: value, place: 0..<0,
            number: 0)
    }

    init(
        group: String?, name: String, parameters: [Parameter], value: String, place: Range<Int>, number: Int
    ) {
        self.group = group
        self.name = name
        self.parameters = parameters
        self.value = value
        self.place = place
        self.number = number
    }

    /// The first value of a parameter, whose name is in upper case.
    package subscript(parameter: String) -> String? {
        parameters.first { $0.name == parameter }?.values.first
    }

    /// All values of all parameters of a name, as vCard's TYPE may come several times.
    package func values(of parameter: String) -> [String] {
        parameters.filter { $0.name == parameter }.flatMap(\.values)
    }

    /// Whether the other line says the same, wherever it stands.
    package func says(the other: ContentLine) -> Bool {
        group == other.group && name == other.name && value == other.value && parameters == other.parameters
    }
}
