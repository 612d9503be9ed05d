// SPDX-License-Identifier: Apache-2.0
// Takes secrets out of what is said, by their values: a peer may repeat what it was told.

/// Values that must not be said.
package struct Redaction: Sendable {
    private let values: [String]

    /// Takes these values out, the longest first; values of fewer than four characters would tear holes everywhere.
    package init(_ values: some Sequence<String> = []) {
        let parts = values.flatMap { [$0] + Self.lines(of: $0) + Self.texts(inJSON: $0) }
        self.values = Set(parts.filter { $0.count >= 4 }).sorted { ($0.count, $0) > ($1.count, $1) }
    }

    /// A key of many lines may be repeated in part.
    private static func lines(of value: String) -> [String] {
        let lines = value.split(whereSeparator: \.isNewline).map(String.init)
        return lines.count > 1 ? lines.filter { $0.count >= 8 } : []
    }

    /// The texts of settings that are one secret as a whole, without the names of their members.
    private static func texts(inJSON value: String) -> [String] {
        guard let first = value.first(where: { !$0.isWhitespace }), first == "{" || first == "[" else {
            return []
        }
        let strings = value.matches(of: #/"((?:[^"\\]|\\.)*)"(\s*:)?/#).filter { $0.output.2 == nil }
        return strings.flatMap { string in
            let text = String(string.output.1)
            return [text, text.replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")]
        }
    }

    /// The text without the values.
    package func apply(_ text: String) -> String {
        values.reduce(text) { $0.replacing($1, with: "•••") }
    }

    /// The first characters of the text without the values. It is cut last: half of a value is not known for one.
    package func apply(_ text: String, upTo count: Int) -> String { String(apply(text).prefix(count)) }

    /// The error without the values, of the same type.
    package func apply(_ error: some ReportableError) -> any Error {
        type(of: error).init(apply(error.diagnostic))
    }

    /// The diagnostic without the values, in its facts and in its place.
    package func apply(_ diagnostic: Diagnostic) -> Diagnostic {
        guard !values.isEmpty else { return diagnostic }
        var clean = diagnostic
        clean.facts = clean.facts.mapValues(apply)
        clean.place.file = clean.place.file.map(apply)
        clean.place.value = clean.place.value.map(apply)
        return clean
    }
}
