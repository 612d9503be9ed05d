// SPDX-License-Identifier: Apache-2.0
// Everything about one commercial document, for one page, in seven statements.

package import Model
package import PostgreSQL

/// What a user sees of a commercial document.
package struct SalesDocumentView: Sendable {
    /// What it says of itself.
    package struct Head: Sendable {
        /// Number of the row.
        package let id: Int
        /// `quote`, `order`, `contract`, `invoice` or `credit_note`.
        package let kind: String
        /// Number as the issuer gave it.
        package let number: String
        /// Number of the account it is addressed to.
        package let account: Int
        /// Name of that account.
        package let accountName: String
        /// Name of the party that issued it.
        package let issuerName: String
        /// The site it is billed to, on one line.
        package let address: String?
        /// `open`, `partly_paid`, `paid`, `overdue`, `disputed` or `cancelled`; of a contract, its own status.
        package let status: String?
        /// What a contract is about.
        package let label: String?
        /// ISO 4217 code.
        package let currency: String?
        /// Made because an invoice named it: nothing is known of it yet.
        package let isStub: Bool
        /// Code of UNTDID 1001, as `380`.
        package let typeCode: String?
        /// The specification that an electronic invoice follows; nil for a document of another form.
        package let customization: String?
        /// Number of the order that it names.
        package let orderReference: String?
        /// `monthly` or the like, of a contract.
        package let period: String?
        /// How a contract goes on.
        package let renewal: String?
        /// Days of notice of a contract.
        package let noticeDays: Int?
        /// Code of the source system.
        package let source: String
        /// Name of the file.
        package let file: String?
        /// One-based line of the file.
        package let line: Int?
        /// Number of the run that brought it first.
        package let run: Int?
        /// Its days, by field: `issue_date`, `due_date`, `signed_on`, `starts_on`, `ends_on`, `closed_on`,
        /// `next_billing_on`; only those that it has, in this order.
        package let days: [(field: String, day: CalendarDate)]
        /// Its amounts as given, by field: `line_total`, `allowance_total`, `charge_total`, `net_total`,
        /// `tax_total`, `gross_total`, `prepaid`, `rounding`, `payable`, `open_amount`; only those that it has.
        package let amounts: [(field: String, amount: Decimal)]
    }

    /// A line of it.
    package struct Line: Sendable {
        /// One-based place in the document.
        package let place: Int
        /// The line's own number, as written.
        package let number: String?
        /// What is sold.
        package let label: String?
        /// Code of the product.
        package let product: String?
        /// How many.
        package let quantity: Decimal?
        /// Price of one, without tax.
        package let price: Decimal?
        /// Percentage of the tax.
        package let rate: Decimal?
        /// Amount without tax.
        package let net: Decimal?
    }

    /// The tax of one rate.
    package struct Tax: Sendable {
        /// Category of the tax (UNCL 5305), as `S`.
        package let category: String?
        /// Percentage.
        package let rate: Decimal?
        /// What it is reckoned on.
        package let base: Decimal?
        /// The tax.
        package let amount: Decimal?
    }

    /// What is to be paid, or was: an instalment, or a payment that names the document.
    package struct Money: Sendable {
        /// Whether it is a payment.
        package let isPayment: Bool
        /// Number of the instalment, or of the payment as its system gave it.
        package let number: String
        /// Due by, or paid on.
        package let day: CalendarDate?
        /// Of an instalment, all of it; of a payment, what this document gets of it.
        package let amount: Decimal?
        /// What is still to be paid of an instalment.
        package let open: Decimal?
        /// `transfer` or the like, of a payment.
        package let method: String?
        /// ISO 4217 code of a payment.
        package let currency: String?
    }

    /// A document that belongs to this one.
    package struct Related: Sendable {
        /// `contract`, `corrects`, `corrected_by` or `billed_by`.
        package let relation: String
        /// Number of the row.
        package let id: Int
        /// `invoice`, `credit_note` or `contract`.
        package let kind: String
        /// Number as the issuer gave it.
        package let number: String
        /// Day of issue, or of the contract's beginning.
        package let day: CalendarDate?
        /// Total with tax; of a contract, without.
        package let amount: Decimal?
        /// ISO 4217 code.
        package let currency: String?
    }

    /// What a platform told of an electronic invoice.
    package struct Event: Sendable {
        /// Code of the life cycle, as `205`.
        package let code: String
        /// The platform's word for it.
        package let text: String?
        /// When.
        package let at: Timestamp?
        /// Why, where it was refused or disputed.
        package let reason: String?
    }

    /// What it says of itself.
    package let head: Head
    /// Its lines behind those before, at most `linesPerPage` and one.
    package let lines: [Line]
    /// Its taxes, by rate.
    package let taxes: [Tax]
    /// Instalments, then payments.
    package let money: [Money]
    /// Documents that belong to it, of those that the user sees, the latest first, at most fifty.
    package let related: [Related]
    /// What platforms told of it, the latest first, at most fifty.
    package let events: [Event]

    /// Whether it came, or went, as an electronic invoice.
    package var isElectronic: Bool { head.customization != nil || !events.isEmpty }
}

extension SalesDocuments {
    /// Lines of a page of a document.
    package static let linesPerPage = 100

    /// A document as a user sees it; that he looked is written to the audit, once a day.
    ///
    /// - Parameter after: the place of the line before the first one wanted.
    /// - Returns: nil where it does not exist, or its account is not for him: both look the same.
    package static func view(
        _ id: Int, for user: AppUser, after: Int = 0, on connection: Connection
    ) async throws(PostgreSQLError) -> SalesDocumentView? {
        guard
            let head = try await connection.run(
                ViewSalesDocument(id: id, scope: user.scope, user: user.id)
            ).first
        else { return nil }
        return SalesDocumentView(
            head: head,
            lines: try await connection.run(
                LinesOfDocument(id: id, after: after, limit: linesPerPage + 1)),
            taxes: try await connection.run(TaxesOfDocument(id: id)),
            money: try await connection.run(InstalmentsOfDocument(id: id))
                + connection.run(PaymentsOfDocument(id: id)),
            related: try await connection.run(RelatedDocuments(id: id, scope: user.scope)),
            events: try await connection.run(EventsOfDocument(id: id)))
    }

    static let viewStatements: [any Statement.Type] = [
        ViewSalesDocument.self, LinesOfDocument.self, TaxesOfDocument.self, InstalmentsOfDocument.self,
        PaymentsOfDocument.self, RelatedDocuments.self, EventsOfDocument.self,
    ]
}
