// SPDX-License-Identifier: Apache-2.0
// What the error struct of each module has in common.

/// An error that knows its stable code; each module has one conforming struct and one list of codes.
package protocol ReportableError: Error, Sendable, CustomStringConvertible {
    /// The module's error codes; their raw values are the keys of the message catalogue.
    associatedtype Code: RawRepresentable<String>, CaseIterable, Sendable
    /// What went wrong, where, and what may be done.
    var diagnostic: Diagnostic { get }
    /// Wraps a diagnostic made from one of the module's codes.
    init(_ diagnostic: Diagnostic)
}

extension ReportableError {
    /// An error with one of the module's codes, the facts its texts need, and its place.
    package init(
        _ code: Code, _ facts: [String: String] = [:], at place: Place = Place(),
        retry: RetryAdvice = .never
    ) {
        self.init(Diagnostic(code: code.rawValue, facts: facts, place: place, retry: retry))
    }

    /// The code and position only: safe for logs.
    package var description: String { diagnostic.description }

    /// Whether this error has the given code.
    package func has(_ code: Code) -> Bool { diagnostic.code == code.rawValue }

    /// The same error, said to be in the file `name`.
    package func inFile(_ name: String) -> Self {
        var diagnostic = diagnostic
        diagnostic.place = diagnostic.place.inFile(name)
        return Self(diagnostic)
    }
}
