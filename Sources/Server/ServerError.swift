// SPDX-License-Identifier: Apache-2.0
// Why the server does not listen, or does not answer a request as asked.

package import Diagnostics

/// A request or an address that the server refuses.
package struct ServerError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case taken = "LISTEN-TAKEN"
        case refused = "LISTEN-REFUSED"
        case notFound = "HTTP-NOT-FOUND"
        case request = "HTTP-REQUEST"
        case unexpected = "HTTP-UNEXPECTED"
        case forbidden = "HTTP-FORBIDDEN"
        case form = "HTTP-FORM"
        case fileName = "HTTP-FILE-NAME"
        case address = "HTTP-ADDRESS"
        case date = "HTTP-DATE"
        case past = "HTTP-DATE-PAST"
        case gone = "MEND-GONE"
        case database = "HTTP-DATABASE"
        case token = "API-TOKEN"
        case scope = "API-SCOPE"
        case signInNeeded = "SIGN-IN-NEEDED"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
