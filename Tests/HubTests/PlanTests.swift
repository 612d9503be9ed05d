// SPDX-License-Identifier: Apache-2.0
// What the pages ask of the database stays quick however much there is: no whole table is walked, no list is sorted.

import CRM
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct PlanTests {
    private func seeded() async throws -> Connection {
        try await TestServer.shared.makeTemplate("pages") { connection in
            _ = try await Migrator(try Schema.migrations()).migrate(connection)
            try await connection.script(
                """
                insert into app_user (login, name, role) values ('nina', 'Nina', 'rep');
                insert into party (id, kind, name, status, owner_id)
                  select i, case when i % 3 = 0 then 'organisation' else 'person' end, 'Client ' || i, 'client',
                    case when i % 50 = 0 then 1 end
                  from generate_series(1, 30000) i;
                insert into org (party_id, siren) select id, lpad(id::text, 9, '0') from party where kind = 'organisation';
                insert into site (id, party_id, city, is_main) select i, i, 'RENNES', true from generate_series(1, 30000) i;
                insert into contact_point (party_id, kind, value_norm, value)
                  select i, 'phone', '+33' || i, i from generate_series(1, 30000) i;
                insert into external_identity (source_id, ext_type, ext_id, entity, entity_id)
                  select 1, 'account', 'A' || i, 'site', i from generate_series(1, 30000) i;
                insert into relation (from_id, to_id, kind) select i, i - i % 3 + 3, 'works_for'
                  from generate_series(1, 29990) i where i % 3 > 0;
                insert into field_claim (entity, entity_id, field, source_id, value)
                  select 'party', i, 'name', 1, 'x' from generate_series(1, 30000) i;
                insert into sales_doc (kind, number, origin, source_id, issuer_id, party_id, issued_on, currency,
                    gross_total, net_total, open_amount, content_hash)
                  select 'invoice', 'F' || i, 'erp', 1, 1, i % 2000 + 1, date '2026-01-01' + i % 300, 'EUR', 1, 1, i % 2, ''
                  from generate_series(1, 30000) i;
                insert into sales_doc_line (doc_id, no, label, net) select id, 1, 'Pièce', 1 from sales_doc;
                insert into sales_doc_tax (doc_id, no, rate) select id, 1, 20 from sales_doc;
                insert into instalment (doc_id, no, amount, open_amount) select id, 1, 1, 1 from sales_doc;
                insert into payment (id, source_id, ext_key, number, party_id, paid_on, amount, content_hash)
                  select i, 1, 'R' || i, 'R' || i, i % 2000 + 1, date '2026-02-01' + i % 300, 1, ''
                  from generate_series(1, 30000) i;
                insert into allocation (payment_id, no, invoice, amount) select id, 1, 'F' || id, 1 from payment;
                insert into einvoice_event (source_id, ext_key, invoice, status_code, content_hash)
                  select 1, 'E' || i, 'F' || i, '200', '' from generate_series(1, 30000) i;
                insert into interaction (occurred_at, channel, subject, account_id)
                  select timestamptz '2026-01-01' + i * interval '1 minute', 'call', 'Appel', i % 60 + 1
                  from generate_series(1, 30000) i;
                insert into interaction_party (party_id, occurred_at, interaction_id, channel)
                  select account_id, occurred_at, id, 'call' from interaction;
                insert into interaction_body (interaction_id, body) select id, 'Texte' from interaction;
                insert into audit (at, user_id, action, entity, entity_id)
                  select timestamptz '2026-01-01' + i * interval '1 minute', i % 40 + 1,
                    case when i % 7 = 0 then 'account.edited' else 'account.seen' end,
                    case when i % 11 = 0 then 'run' else 'party' end, i % 900
                  from generate_series(1, 30000) i;
                analyze
                """)
        }
        return try await Connection.open(try await TestServer.shared.makeDatabase(template: "pages"))
    }

    private func plan(_ name: String, _ arguments: String, generic: Bool) async throws -> [String] {
        let connection = try await seeded()
        let statement = try #require(Schema.statements.first { "\($0)" == name })
        // What a connection does from its sixth time on.
        if generic { try await connection.script("set plan_cache_mode = force_generic_plan") }
        // Names are compared with the settings of those who compare them.
        if name == "LikelyAccounts" {
            let settings = try #require(Schema.statements.first { "\($0)" == "RaiseSimilarity" })
            try await connection.script("begin; \(settings.sql)")
        }
        // What an export sets.
        if name.hasPrefix("ChooseAccounts") {
            try await connection.script("set enable_seqscan = off; set enable_sort = off")
        }
        try await connection.script("prepare s as \(statement.sql)")
        return try await connection.run(AdHoc("explain execute s(\(arguments))"))
    }

    private static let paths: [(name: String, arguments: String)] = [
        ("PageOfAccounts", "1, '', 0, '', 51"), ("PageOfAccounts", "0, 'client 20000', 20000, '', 51"),
        ("PageOfStatus", "0, '', 0, '', 51, 'suspect'"),
        ("PageOfStatus", "0, '', 0, 'client 9', 51, 'client'"),
        ("PageOfOwnAccounts", "0, '', 0, '', 51, null, 1, false"),
        ("PageOfOwnAccounts", "1, '', 0, 'client 9', 51, 'client', 1, true"),
        ("ChooseAccounts<PageOfAccounts>", "1, '', 0, '', 5000"),
        ("ChooseAccounts<PageOfStatus>", "0, '', 0, '', 5000, 'client'"),
        ("ChooseAccounts<PageOfOwnAccounts>", "0, '', 0, '', 5000, null, 1, false"),
        ("LikelyAccounts", "0, null, 'client 777', '000000777', null, null"),
        ("ViewSalesDocument", "9, 0, 1"), ("LinesOfDocument", "9, 0, 101"), ("TaxesOfDocument", "9"),
        ("InstalmentsOfDocument", "9"), ("PaymentsOfDocument", "9"), ("RelatedDocuments", "9, 0"),
        ("EventsOfDocument", "9"),
        ("FindNames", "0, 'client 77'"), ("FindWords", "0, '777'"), ("FindWordsInScope", "1, '777'"),
        ("FindNumbers", "0, 'F777', '777777', 'f777'"), ("SeesParty", "9, 0"), ("ViewAccount", "9, 0, 1"),
        ("AccountSites", "9"), ("AccountEntries", "9"), ("ClaimsOfAccount", "9"),
        ("DocumentsOfAccount", "9, 10"),
        ("AccountFigures", "9"), ("TimelineOf", "9, null, null, 21"), ("EditableFields", "9, 0"),
        ("SiteAtAccount", "9, 0, 9"),
        ("AuditOfAll", "null, null, null, null, null, null, 'UTC', null, null, 51"),
        ("AuditOfAll", "null, null, null, null, '2026-01-03', '2026-01-09', 'UTC', '2026-01-08', 9, 51"),
        ("AuditOfUser", "7, null, null, null, null, null, 'UTC', null, null, 51"),
        ("AuditOfUser", "7, 'account.seen', 'party', null, '2026-01-03', null, 'UTC', '2026-01-08', 9, 51"),
        ("AuditOfAction", "null, 'account.edited', null, null, null, null, 'UTC', null, null, 51"),
        (
            "AuditOfAction",
            "null, 'account.edited', 'run', null, null, '2026-01-09', 'UTC', '2026-01-08', 9, 51"
        ),
        ("AuditOfKind", "null, null, 'run', null, null, null, 'UTC', null, null, 51"),
        ("AuditOfKind", "null, null, 'run', null, '2026-01-03', '2026-01-09', 'UTC', '2026-01-08', 9, 51"),
        ("AuditOfObject", "null, null, 'party', 9, null, null, 'UTC', null, null, 51"),
        ("AuditOfObject", "7, 'account.seen', 'party', 9, '2026-01-03', null, 'UTC', '2026-01-08', 9, 51"),
    ]

    @Test(arguments: paths, [false, true])
    func `no page walks a whole table`(_ path: (name: String, arguments: String), generic: Bool) async throws
    {
        let plan = try await plan(path.name, path.arguments, generic: generic)
        for table in [
            "party", "party_scope", "org", "site", "contact_point", "external_identity", "sales_doc",
            "sales_doc_line", "field_claim", "interaction", "interaction_party", "interaction_body",
            "relation", "sales_doc_tax", "instalment", "payment", "allocation", "einvoice_event",
            "audit", "audit_default",
        ] {
            #expect(
                !plan.contains { $0.contains("Seq Scan on \(table) ") }, "\(plan.joined(separator: "\n"))")
        }
    }

    @Test(arguments: paths.filter { $0.name.hasPrefix("ChooseAccounts") }, [false, true])
    func `what a list shows is not read to choose its accounts`(
        _ path: (name: String, arguments: String), generic: Bool
    ) async throws {
        let plan = try await plan(path.name, path.arguments, generic: generic)
        for table in ["org", "app_user", "territory", "interaction_party"] {
            #expect(!plan.contains { $0.contains(" on \(table) ") }, "\(plan.joined(separator: "\n"))")
        }
    }

    // Where two filters leave less than a page, to sort those few is the better plan.
    @Test(
        arguments: paths.filter {
            ["PageOf", "ChooseAccounts", "AuditOf"].contains(where: $0.name.hasPrefix)
                && !($0.name == "AuditOfAction" && $0.arguments.contains("'run'"))
                || ["DocumentsOfAccount", "TimelineOf"].contains($0.name)
        },
        [false, true])
    func `no list is sorted`(_ path: (name: String, arguments: String), generic: Bool) async throws {
        let plan = try await plan(path.name, path.arguments, generic: generic)
        #expect(!plan.contains { $0.contains("Sort") }, "\(plan.joined(separator: "\n"))")
    }
}
