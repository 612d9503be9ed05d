// SPDX-License-Identifier: Apache-2.0
// The one shape in which every module says what went wrong, where, and what the caller may do.

/// A problem or a finding, without words: its texts are found in the message catalogue by `code`.
///
/// `facts` and `place.value` may hold data of a peer (a cell, a name); they are shown to people and kept in
/// quarantine, but never logged: ``description`` leaves them out.
package struct Diagnostic: Error, Sendable, Hashable, CustomStringConvertible {
    /// How much a finding weighs: an error keeps its record out of the CRM, the others do not.
    package enum Severity: String, Sendable, Hashable, Codable {
        case info, warning, error
    }

    /// Stable identifier, upper case with hyphens, such as `XML-DOCTYPE`; the key of the message catalogue.
    package var code: String
    /// Named values that the catalogue's texts refer to as `{name}`.
    package var facts: [String: String]
    /// Where it is, as far as it is known.
    package var place: Place
    /// What it means for the record it was found in.
    package var severity: Severity
    /// What a program may do about it by itself.
    package var retry: RetryAdvice

    /// A diagnostic; an error that no program can mend by itself unless said otherwise.
    package init(
        code: String, facts: [String: String] = [:], place: Place = Place(), severity: Severity = .error,
        retry: RetryAdvice = .never
    ) {
        self.code = code
        self.facts = facts
        self.place = place
        self.severity = severity
        self.retry = retry
    }

    /// The code and the position, never a value: safe for logs.
    package var description: String {
        place.position.isEmpty ? code : "\(place.position): \(code)"
    }
}

/// What a program may do after an error, decided where the knowledge is.
package enum RetryAdvice: Sendable, Hashable {
    /// The same call fails again until somebody changes something.
    case never
    /// The same call may succeed after this pause.
    case after(Duration)
    /// The peer wants new credentials first.
    case reauthorize
}
