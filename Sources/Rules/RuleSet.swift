// SPDX-License-Identifier: Apache-2.0
// Sets of rules that a mapping may ask for by name.

package import Diagnostics
package import Model

/// Rules of a norm, checked natively on each record.
package enum RuleSet: String, Sendable, CaseIterable {
    /// Arithmetic and identity of EN 16931, with the tolerances and the rounding of the official schematron.
    case en16931
    /// What French law and the platforms add (BR-FR).
    case fr

    /// The entity that the rules are about.
    package var entity: EntitySchema { .invoice }

    /// What the rules find in a record: codes are the norm's own (`BR-CO-15`), with amounts as facts.
    ///
    /// - Parameter record: an invoice; anything else has no findings.
    package func findings(_ record: Record) -> [Diagnostic] {
        guard record.schema === EntitySchema.invoice else { return [] }
        var invoice = InvoiceUnderTest(record)
        switch self {
        case .en16931: invoice.checkEN16931()
        case .fr: invoice.checkFrench()
        }
        return invoice.findings
    }
}

/// The rules that are implemented; each has its texts in the message catalogue.
package enum Rule: String, Sendable, CaseIterable {
    case number = "BR-02"
    case issueDate = "BR-03"
    case typeCode = "BR-04"
    case currency = "BR-05"
    case sellerName = "BR-06"
    case buyerName = "BR-07"
    case lines = "BR-16"
    case vatPrefix = "BR-CO-09"
    case lineTotal = "BR-CO-10"
    case allowanceTotal = "BR-CO-11"
    case chargeTotal = "BR-CO-12"
    case netTotal = "BR-CO-13"
    case taxTotal = "BR-CO-14"
    case grossTotal = "BR-CO-15"
    case payable = "BR-CO-16"
    case categoryTax = "BR-CO-17"
    case breakdown = "BR-CO-18"
    case sellerIdentity = "BR-CO-26"
    case standardBase = "BR-S-08"
    case standardTax = "BR-S-09"
    case igicBase = "BR-AF-08"
    case igicTax = "BR-AF-09"
    case ipsiBase = "BR-AG-08"
    case ipsiTax = "BR-AG-09"
    case zeroBase = "BR-Z-08"
    case exemptBase = "BR-E-08"
    case reverseBase = "BR-AE-08"
    case intraCommunityBase = "BR-IC-08"
    case exportBase = "BR-G-08"
    case outsideBase = "BR-O-08"
    case zeroTax = "BR-Z-09"
    case exemptTax = "BR-E-09"
    case reverseTax = "BR-AE-09"
    case intraCommunityTax = "BR-IC-09"
    case exportTax = "BR-G-09"
    case outsideTax = "BR-O-09"
    case lineTotalDecimals = "BR-DEC-09"
    case allowanceTotalDecimals = "BR-DEC-10"
    case chargeTotalDecimals = "BR-DEC-11"
    case netTotalDecimals = "BR-DEC-12"
    case taxTotalDecimals = "BR-DEC-13"
    case grossTotalDecimals = "BR-DEC-14"
    case prepaidDecimals = "BR-DEC-16"
    case roundingDecimals = "BR-DEC-17"
    case payableDecimals = "BR-DEC-18"
    case taxBaseDecimals = "BR-DEC-19"
    case taxAmountDecimals = "BR-DEC-20"
    case lineNetDecimals = "BR-DEC-23"
    case typeCodeList = "BR-CL-01"
    case currencyList = "BR-CL-04"
    case countryList = "BR-CL-14"
    case taxCategoryList = "BR-CL-17"
    case lineCategoryList = "BR-CL-18"
    case frenchNumberLength = "BR-FR-01"
    case frenchNumberCharacters = "BR-FR-02"
    case frenchYears = "BR-FR-03"
    case frenchTypeCode = "BR-FR-04"
    case frenchPaymentNote = "BR-FR-05"
    case frenchProcess = "BR-FR-08"
    case frenchSIRET = "BR-FR-09"
    case frenchSellerSIREN = "BR-FR-10"
    case frenchBuyerSIREN = "BR-FR-11"
    case frenchBuyerAddress = "BR-FR-12"
    case frenchSellerAddress = "BR-FR-13"
}
