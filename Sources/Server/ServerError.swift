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
        case agendaChanged = "AGENDA-CHANGED"
        case database = "HTTP-DATABASE"
        case token = "API-TOKEN"
        case scope = "API-SCOPE"
        case body = "API-BODY"
        case member = "API-MEMBER"
        case text = "API-TEXT"
        case faults = "API-FAULTS"
        case requestKey = "API-KEY"
        case keyReused = "API-KEY-REUSED"
        case stale = "API-STALE"
        case conflict = "API-CONFLICT"
        case numberTaken = "API-TAKEN"
        case tooLarge = "UPLOAD-TOO-LARGE"
        case busy = "HTTP-BUSY"
        case slow = "HTTP-SLOW"
        case incomplete = "HTTP-INCOMPLETE"
        case encoding = "HTTP-ENCODING"
        case signInNeeded = "SIGN-IN-NEEDED"
        case certificate = "TLS-CERTIFICATE"
        case certificatePair = "TLS-PAIR"
        case key = "TLS-KEY"
        case keyOpen = "TLS-KEY-OPEN"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
