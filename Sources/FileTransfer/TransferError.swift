// SPDX-License-Identifier: Apache-2.0
// Why another machine does not give or take a file.

package import Diagnostics

/// A transfer that failed, and whether it is worth another try.
package struct TransferError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case address = "TRANSFER-ADDRESS"
        case unreachable = "TRANSFER-UNREACHABLE"
        case silent = "TRANSFER-SILENT"
        case cut = "TRANSFER-CUT"
        case length = "TRANSFER-LENGTH"
        case tooLarge = "TRANSFER-TOO-LARGE"
        case login = "TRANSFER-LOGIN"
        case hostKey = "TRANSFER-HOST-KEY"
        case certificate = "TRANSFER-CERTIFICATE"
        case missing = "TRANSFER-MISSING"
        case forbidden = "TRANSFER-FORBIDDEN"
        case refused = "TRANSFER-REFUSED"
        case answer = "TRANSFER-ANSWER"
        case busy = "TRANSFER-BUSY"
        case page = "TRANSFER-PAGE"
        case listing = "TRANSFER-LISTING"
        case spool = "TRANSFER-SPOOL"
        case cancelled = "TRANSFER-CANCELLED"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
