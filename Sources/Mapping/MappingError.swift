// SPDX-License-Identifier: Apache-2.0
// Faults of mapping files, and what a mapping finds wrong in a record.

package import Diagnostics

/// A mapping that cannot be used, or a record that one cannot read.
package struct MappingError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case keyUnknown = "MAP-KEY-UNKNOWN"
        case keyMissing = "MAP-KEY-MISSING"
        case valueExpected = "MAP-VALUE-EXPECTED"
        case valueUnknown = "MAP-VALUE-UNKNOWN"
        case fieldUnknown = "MAP-FIELD-UNKNOWN"
        case fieldRequired = "MAP-FIELD-REQUIRED"
        case typeDiffers = "MAP-TYPE-DIFFERS"
        case pathInvalid = "MAP-PATH-INVALID"
        case prefixUnknown = "MAP-PREFIX-UNKNOWN"
        case patternInvalid = "MAP-PATTERN-INVALID"
        case formatInvalid = "MAP-FORMAT-INVALID"
        case formatAmbiguous = "MAP-FORMAT-AMBIGUOUS"
        case pathNotStreamable = "MAP-PATH-NOT-STREAMABLE"
        case expressionUnexpected = "MAP-EXPRESSION-UNEXPECTED"
        case expressionEnds = "MAP-EXPRESSION-ENDS"
        case expressionQuote = "MAP-EXPRESSION-QUOTE"
        case expressionType = "MAP-EXPRESSION-TYPE"
        case expressionDepth = "MAP-EXPRESSION-DEPTH"
        case functionUnknown = "MAP-FUNCTION-UNKNOWN"
        case functionArguments = "MAP-FUNCTION-ARGUMENTS"
        case rowsUnknown = "MAP-ROWS-UNKNOWN"
        case rowsWithoutGrouping = "MAP-ROWS-WITHOUT-GROUPING"
        case blockUnused = "MAP-BLOCK-UNUSED"
        case blockUnknown = "MAP-BLOCK-UNKNOWN"
        case branchUnreachable = "MAP-BRANCH-UNREACHABLE"
        case keyNullable = "MAP-KEY-NULLABLE"
        case variableUnknown = "MAP-VARIABLE-UNKNOWN"
        case rulesDiffer = "MAP-RULES-DIFFER"
        case sourceConflict = "MAP-SOURCE-CONFLICT"
        case referenceCycle = "MAP-REFERENCE-CYCLE"
        case mappingUnknown = "MAP-MAPPING-UNKNOWN"
        case noneFits = "MAP-NONE-FITS"
        case noRecord = "MAP-NO-RECORD"
        case tooSlow = "MAP-TOO-SLOW"
        case detailMissing = "MAP-DETAIL-MISSING"
        case detailName = "MAP-DETAIL-NAME"
        case detailAlone = "MAP-DETAIL-ALONE"
        case detailAmbiguous = "MAP-DETAIL-AMBIGUOUS"
        case columnEncoding = "MAP-COLUMN-ENCODING"
        case wrongDirection = "MAP-WRONG-DIRECTION"
        case stageFull = "MAP-STAGE-FULL"
        case stageUnwritable = "MAP-STAGE-UNWRITABLE"
        case editVersion = "MAP-EDIT-VERSION"
        case editNoList = "MAP-EDIT-NO-LIST"
        case editKnown = "MAP-EDIT-KNOWN"
        case editLayout = "MAP-EDIT-LAYOUT"
        case editNothing = "MAP-EDIT-NOTHING"
        case exampleUnsaved = "MAP-EXAMPLE-UNSAVED"
        case examplePattern = "MAP-EXAMPLE-PATTERN"
        case exampleRecord = "MAP-EXAMPLE-RECORD"
        case exampleSize = "MAP-EXAMPLE-SIZE"
        case saveName = "MAP-SAVE-NAME"
        case saveFolder = "MAP-SAVE-FOLDER"
        case saveTaken = "MAP-SAVE-TAKEN"
        case saveLength = "MAP-SAVE-LENGTH"
        case saveChanged = "MAP-SAVE-CHANGED"
        case overrideField = "OVERRIDE-FIELD"
        case overrideValue = "OVERRIDE-VALUE"
        case overrideWord = "OVERRIDE-WORD"
        case overrideRow = "OVERRIDE-ROW"
        case required = "FIELD-REQUIRED"
        case notDecimal = "FIELD-NOT-DECIMAL"
        case notInteger = "FIELD-NOT-INTEGER"
        case notDate = "FIELD-NOT-DATE"
        case notDateTime = "FIELD-NOT-DATETIME"
        case notBoolean = "FIELD-NOT-BOOLEAN"
        case notCurrency = "FIELD-NOT-CURRENCY"
        case notInList = "FIELD-NOT-IN-LIST"
        case tooLong = "FIELD-TOO-LONG"
        case invalidSIREN = "FIELD-INVALID-SIREN"
        case invalidSIRET = "FIELD-INVALID-SIRET"
        case invalidVAT = "FIELD-INVALID-VAT"
        case invalidIBAN = "FIELD-INVALID-IBAN"
        case invalidLuhn = "FIELD-INVALID-LUHN"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}

/// All faults of a mapping file at once, each with its line and column.
package struct MappingFaults: Error, Sendable {
    /// At least one fault, in the order of the file.
    package let faults: [Diagnostic]

    /// These faults.
    package init(faults: [Diagnostic]) {
        self.faults = faults
    }
}
