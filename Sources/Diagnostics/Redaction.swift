// SPDX-License-Identifier: Apache-2.0
// Takes secrets out of what is said, by their values: a peer may repeat what it was told.

/// Values that must not be said.
package struct Redaction: Sendable {
    private let values: [String]

    /// Takes these values out, the longest first; values of fewer than four characters would tear holes everywhere.
    package init(_ values: some Sequence<String> = []) {
        self.values = values.filter { $0.count >= 4 }.sorted { $0.count > $1.count }
    }

    /// The text without the values.
    package func apply(_ text: String) -> String {
        values.reduce(text) { $0.replacing($1, with: "•••") }
    }

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
