// SPDX-License-Identifier: Apache-2.0
// Why a message's attachments cannot be read.

package import Diagnostics

/// A message, or a part of one, that is not what it should be.
package struct MailError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case header = "MAIL-HEADER"
        case damaged = "MAIL-DAMAGED"
        case encoding = "MAIL-ENCODING"
        case limit = "MAIL-LIMIT"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
