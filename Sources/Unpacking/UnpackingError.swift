// SPDX-License-Identifier: Apache-2.0
// Why nothing is taken out of a file that holds others.

package import Diagnostics

/// An archive or a PDF that cannot or must not be opened.
package struct UnpackingError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case damaged = "ARCHIVE-DAMAGED"
        case bomb = "ARCHIVE-BOMB"
        case entries = "ARCHIVE-ENTRIES"
        case nested = "ARCHIVE-NESTED"
        case encrypted = "ARCHIVE-ENCRYPTED"
        case empty = "ARCHIVE-EMPTY"
        case noXML = "PDF-NO-XML"
        case pdfDamaged = "PDF-DAMAGED"
        case pdfEncrypted = "PDF-ENCRYPTED"
        case pdfBomb = "PDF-BOMB"
        case attachments = "PDF-ATTACHMENTS"
        case toolMissing = "PDF-TOOL-MISSING"
        case noSpace = "ARCHIVE-NO-SPACE"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
