// SPDX-License-Identifier: Apache-2.0
// A commercial document as users see it: whole, and only where its account is theirs.

import CRM
import Foundation
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct SalesDocumentTests {
    /// A back office user and a rep without accounts.
    private func people(_ bench: Workbench) async throws -> (office: AppUser, rep: AppUser) {
        try await bench.pool.withConnection { connection in
            let office = AppUsers.Draft(login: "bo", name: "Bo", role: .backOffice)
            let rep = AppUsers.Draft(login: "nina", name: "Nina", role: .rep)
            return (
                try await AppUsers.add(office, passwordHash: nil, on: connection),
                try await AppUsers.add(rep, passwordHash: nil, on: connection)
            )
        }
    }

    private func view(
        _ number: String, for user: AppUser, after: Int = 0, _ bench: Workbench
    ) async throws -> SalesDocumentView? {
        let ids = try await bench.numbers("select id from sales_doc where number = '\(number)'")
        let id = try #require(ids.first)
        return try await bench.pool.withConnection {
            try await SalesDocuments.view(id, for: user, after: after, on: $0)
        }
    }

    private func invoice(_ number: String, gross: String = "120") -> String {
        "\(number);01/02/2026;31/12/2999;N1;Neuf;732829320;;100;20;\(gross);EUR;"
    }

    private func company() async throws -> Workbench {
        let bench = try await Workbench()
        _ = try await bench.run([try bench.invoices([invoice("A"), invoice("B")])])
        let paid = try bench.write(
            """
            NumPaiement;DatePaiement;CodeClient;RaisonSociale;Mode;Montant;Devise;NumFacture;MontantImpute
            R1;05/02/2026;N1;Neuf;Virement;50;EUR;A;50

            """, "paiements.csv")
        _ = try await bench.run([paid])
        return bench
    }

    @Test func `a document says its amounts, its instalment, its payments and where it was read`()
        async throws
    {
        let bench = try await company()
        let (office, _) = try await people(bench)
        let view = try #require(try await view("A", for: office, bench))
        #expect(view.head.accountName == "Neuf" && view.head.kind == "invoice")
        #expect(view.head.status == "partly_paid" && view.head.currency == "EUR")
        let amounts = Dictionary(view.head.amounts.map { ($0.field, $0.amount.reduced.description) }) { $1 }
        #expect(amounts["net_total"] == "100" && amounts["gross_total"] == "120")
        #expect(amounts["open_amount"] == "70")
        #expect(view.head.days.map(\.field) == ["issue_date", "due_date"])
        #expect(view.money.map(\.isPayment) == [false, true])
        #expect(view.money.last?.number == "R1" && view.money.last?.amount?.reduced.description == "50")
        #expect(view.head.file?.hasSuffix("factures.csv") == true && view.head.line == 2)
        #expect(!view.isElectronic)
    }

    @Test func `an electronic invoice says so, with its lines and taxes`() async throws {
        let bench = try await Workbench()
        let samples = Repository.root.appending(path: "Connectors/ERP/Samples")
        _ = try await bench.run(
            ["comptes.csv", "factures/facture-simple.xml"].map { samples.appending(path: $0).path })
        let (office, _) = try await people(bench)
        let numbers = try await bench.texts("select number from sales_doc where kind = 'invoice'")
        let number = try #require(numbers.first ?? nil)
        let view = try #require(try await view(number, for: office, bench))
        #expect(view.isElectronic && !view.lines.isEmpty && !view.taxes.isEmpty)
    }

    @Test func `lines come a page at a time`() async throws {
        let bench = try await company()
        let (office, _) = try await people(bench)
        try await bench.script(
            """
            insert into sales_doc_line (doc_id, no, label)
            select d.id, i, 'Pièce ' || i from sales_doc d, generate_series(1, 250) i where d.number = 'A'
            """)
        let first = try #require(try await view("A", for: office, bench))
        #expect(first.lines.count == SalesDocuments.linesPerPage + 1)
        let last = try #require(try await view("A", for: office, after: 200, bench))
        #expect(last.lines.map(\.place) == Array(201...250))
    }

    @Test func `documents that belong together lead to one another, where both are the user's`() async throws
    {
        let bench = try await company()
        let (office, nina) = try await people(bench)
        try await bench.script(
            """
            insert into party (kind, name, status) values ('organisation', 'Autre', 'client');
            update party set owner_id = (select id from app_user where login = 'nina') where name = 'Neuf';
            insert into sales_doc (kind, number, source_id, issuer_id, party_id, content_hash, parent_id)
            select 'credit_note', n, source_id, issuer_id, coalesce((select id from party where name = p), party_id), '', id
            from sales_doc, (values ('AV1', null), ('AV2', 'Autre')) as v(n, p) where number = 'A'
            """)
        let all = try #require(try await view("A", for: office, bench))
        #expect(Set(all.related.map(\.number)) == ["AV1", "AV2"])
        let own = try #require(try await view("A", for: nina, bench))
        #expect(own.related.map(\.number) == ["AV1"])
        let note = try #require(try await view("AV1", for: nina, bench))
        #expect(note.related.map(\.relation) == ["corrects"] && note.related.first?.number == "A")
    }

    @Test
    func `what is not his answers a rep like what does not exist, and only who sees it is written down`()
        async throws
    {
        let bench = try await company()
        let (office, nina) = try await people(bench)
        #expect(try await view("A", for: nina, bench) == nil)
        let missing = try await bench.pool.withConnection {
            try await SalesDocuments.view(999_999, for: nina, on: $0)
        }
        #expect(missing == nil)
        let seen = "select count(*) from audit where action = 'document.seen'"
        #expect(try await bench.numbers(seen) == [0])
        _ = try await view("A", for: office, bench)
        _ = try await view("A", for: office, bench)
        #expect(try await bench.numbers(seen) == [1])
        let hits = try await bench.pool.withConnection {
            try await GlobalSearch.find("A", scope: nina.scope, on: $0)
        }
        #expect(hits == [])
    }

    @Test func `a search for a number leads to the document`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([try bench.invoices([invoice("FA-2026-1")])])
        let hits = try await bench.pool.withConnection {
            try await GlobalSearch.find("FA-2026", scope: 0, on: $0)
        }
        let ids = try await bench.numbers("select id from sales_doc")
        #expect(hits.map(\.document) == ids.map(Optional.some))
    }
}
