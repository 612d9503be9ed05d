// SPDX-License-Identifier: Apache-2.0
// Why somebody is not let in, or a user cannot be made or changed.

package import Diagnostics

/// A refusal about people and how they sign in.
package struct PeopleError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case signInRefused = "SIGN-IN-REFUSED"
        case signInBlocked = "SIGN-IN-BLOCKED"
        case busy = "SIGN-IN-BUSY"
        case link = "SIGN-IN-LINK"
        case noAccount = "SIGN-IN-NO-ACCOUNT"
        case unverified = "SIGN-IN-EMAIL"
        case linked = "SIGN-IN-LINKED"
        case disabled = "SIGN-IN-DISABLED"
        case email = "USER-EMAIL"
        case emailTaken = "USER-EMAIL-TAKEN"
        case login = "USER-LOGIN"
        case name = "USER-NAME"
        case taken = "USER-TAKEN"
        case unknown = "USER-UNKNOWN"
        case lastAdmin = "USER-LAST-ADMIN"
        case password = "PASSWORD-SHORT"
        case label = "TOKEN-LABEL"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
