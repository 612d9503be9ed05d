// SPDX-License-Identifier: Apache-2.0
// Why a table of text is refused.

package import Diagnostics

/// A table that cannot be read without guessing.
package struct TabularError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case empty = "CSV-EMPTY"
        case encoding = "CSV-ENCODING"
        case mixedEncodings = "CSV-MIXED-ENCODINGS"
        case strayMark = "CSV-STRAY-MARK"
        case nul = "CSV-NUL"
        case openQuote = "CSV-OPEN-QUOTE"
        case strayQuote = "CSV-STRAY-QUOTE"
        case field = "CSV-FIELD"
        case record = "CSV-RECORD"
        case fields = "CSV-FIELDS"
        case ragged = "CSV-RAGGED"
        case missingColumn = "CSV-MISSING-COLUMN"
        case repeatedColumn = "CSV-REPEATED-COLUMN"
        case noTable = "CSV-NO-TABLE"
        case orphanRow = "CSV-ORPHAN-ROW"
        case orphanDetail = "CSV-ORPHAN-DETAIL"
        case groupDiffers = "CSV-GROUP-DIFFERS"
        case repeatedKey = "CSV-REPEATED-KEY"
        case unknownRow = "CSV-UNKNOWN-ROW"
        case splitGroup = "CSV-GROUP-SPLIT"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
