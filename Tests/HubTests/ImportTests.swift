// SPDX-License-Identifier: Apache-2.0
// Imports into a real database: once, twice, changed, doubtful, broken.

import CRM
import ConnectorKit
import Diagnostics
import ERPConnector
import Foundation
import Hub
import Mapping
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct ImportTests {
    private static let samples = Repository.root.appending(path: "Connectors/ERP/Samples").path
    private let one =
        "A1,Maçonnerie Dupré,404833048,40483304800022,FR83404833048,\"1, rue A\",35000,RENNES,02 99 00 00 01"

    @Test func `the samples arrive once, and a second time writes nothing`() async throws {
        let bench = try await Workbench()
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.samples + "/factures").sorted()
        let paths = [Self.samples + "/comptes.csv"] + names.map { Self.samples + "/factures/" + $0 }
        let first = try await bench.run(paths)
        #expect(first.ledger == RunLedger(inserted: 11, quarantined: 2))
        let before = try await bench.digest()
        let second = try await bench.run(paths)
        #expect(second.ledger == RunLedger(quarantined: 2, skipped: 11))
        #expect(try await bench.digest() == before)
        // The same records in other files: found unchanged, row by row.
        let copies = try paths.map { path in
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return try bench.write(
                text + (path.hasSuffix(".xml") ? "<!-- -->" : "\n"),
                String(path.split(separator: "/").last ?? ""))
        }
        let third = try await bench.run(copies)
        #expect(third.ledger == RunLedger(unchanged: 11, quarantined: 2))
        let codes = try await bench.texts(
            "select distinct code from quarantine where status = 'open' order by 1")
        #expect(codes == ["BR-CO-15", "MATCH-NONE"])
        let parties = try await bench.numbers("select count(*) from sales_doc where not is_stub")
        #expect(parties == [5])
    }

    @Test func `two establishments of one SIREN are one party with two sites`() async throws {
        let bench = try await Workbench()
        let two = one.replacing("A1,", with: "A2,").replacing("40483304800022", with: "40483304800030")
            .replacing("RENNES", with: "BREST")
        #expect(try await bench.accounts(one, two) == RunLedger(inserted: 2))
        #expect(try await bench.numbers("select count(*) from party") == [1])
        #expect(try await bench.texts("select city from site order by is_main desc") == ["RENNES", "BREST"])
        #expect(try await bench.texts("select ext_id from external_identity order by 1") == ["A1", "A2"])
        #expect(try await bench.texts("select value_norm from contact_point") == ["+33299000001"])
    }

    @Test func `a changed account keeps what was there before`() async throws {
        let bench = try await Workbench()
        _ = try await bench.accounts(one)
        let changed = one.replacing("Maçonnerie Dupré", with: "Dupré Bâtiment").replacing(
            "RENNES", with: "BREST")
        #expect(try await bench.accounts(changed) == RunLedger(updated: 1))
        #expect(try await bench.texts("select name from party") == ["Dupré Bâtiment"])
        let before = try await bench.texts("select before->>'city' from run_change where entity = 'site'")
        #expect(before == ["RENNES"])
        #expect(
            try await bench.texts("select before->>'name' from run_change where entity = 'party'") == [
                "Maçonnerie Dupré"
            ])
        #expect(
            try await bench.texts("select op from change_log where entity = 'party' order by seq") == [
                "insert", "update",
            ])
        #expect(try await bench.accounts(changed, name: "autre.csv") == RunLedger(skipped: 1))
    }

    @Test func `a source of less trust does not overwrite, but shows`() async throws {
        let bench = try await Workbench()
        _ = try await bench.accounts(one)
        _ = try await bench.numbers(
            """
            with c as (
              insert into field_claim (entity, entity_id, field, source_id, value)
              select 'party', id, 'name', (select id from source_system where code = 'person'), 'Nom choisi' from party
              returning entity_id
            ), u as (update party set name = 'Nom choisi' returning 1)
            select count(*) from c
            """)
        #expect(
            try await bench.accounts(one.replacing("Maçonnerie", with: "Maconnerie"))
                == RunLedger(updated: 1))
        #expect(try await bench.texts("select name from party") == ["Nom choisi"])
        let claims = try await bench.texts(
            "select value from field_claim where entity = 'party' and field = 'name' order by 1")
        #expect(claims == ["Maconnerie Dupré", "Nom choisi"])
    }

    @Test func `identifiers that name two accounts are left to a person`() async throws {
        let bench = try await Workbench()
        let other = "B1,Autre,732829320,73282932000074,,,,,"
        _ = try await bench.accounts(one, other)
        let mixed = "A1,Autre,732829320,,,,,,"
        #expect(try await bench.accounts(mixed) == RunLedger(quarantined: 1))
        #expect(try await bench.texts("select code from quarantine") == ["MATCH-CONFLICT"])
        #expect(try await bench.texts("select convert_from(raw, 'UTF8') from quarantine") == [mixed])
    }

    @Test func `two codes of one establishment are both kept, and a second import settles`() async throws {
        let bench = try await Workbench()
        let again = one.replacing("A1,", with: "A9,").replacing("1, rue A", with: "2, rue B")
        _ = try await bench.accounts(one, again)
        _ = try await bench.accounts(one, again, "Z1,Autre,,,,,,,")
        #expect(
            try await bench.texts("select ext_id from external_identity where ext_id like 'A%' order by 1")
                == ["A1", "A9"])
        let settled = try await bench.accounts(one, again, "Z2,Encore,,,,,,,")
        #expect(settled == RunLedger(inserted: 1, unchanged: 2))
    }

    @Test func `a placeholder is no SIREN, and a shared VAT number no proof`() async throws {
        let bench = try await Workbench()
        let ledger = try await bench.accounts("F1,Gmbh,000000000,,DE111111125,,,,", "F2,Ltd,000000000,,,,,,")
        #expect(ledger == RunLedger(inserted: 2))
        #expect(try await bench.numbers("select count(*) from party") == [2])
        _ = try await bench.accounts(one)
        let other = "D1,Autre membre,732829320,,FR83404833048,,,,"
        #expect(try await bench.accounts(other, "E1,E,,,,,,,") == RunLedger(inserted: 1, quarantined: 1))
        #expect(try await bench.texts("select code from quarantine") == ["MATCH-CONFLICT"])
    }

    @Test func `a value too long for an index costs its own record only`() async throws {
        let bench = try await Workbench()
        let long = (0..<3000).map { String(UInt64($0) &* 0x9E37_79B9_7F4A_7C15, radix: 36) }.joined()
        let ledger = try await bench.accounts(one, "L1,Long,,,,,\(long),,")
        #expect(ledger == RunLedger(inserted: 1, quarantined: 1))
        #expect(try await bench.texts("select stage from quarantine") == ["write"])
    }

    @Test func `two imports at once that meet the same new client make it once`() async throws {
        let bench = try await Workbench()
        let text = try String(
            contentsOfFile: Self.samples + "/factures/facture-nouveau-client.xml", encoding: .utf8)
        let paths = try (0..<8).map { number in
            try bench.write(text.replacing("FA-2026-0104", with: "N-\(number)"), "n\(number).xml")
        }
        try await withThrowingTaskGroup(of: RunLedger.self) { group in
            for path in paths { group.addTask { try await bench.run([path]).ledger } }
            for try await ledger in group { #expect(ledger == RunLedger(inserted: 1)) }
        }
        #expect(try await bench.numbers("select count(*) from party") == [2])
        #expect(try await bench.numbers("select count(*) from sales_doc") == [8])
    }

    @Test func `a key that comes twice in a file is skipped when equal and refused when not`() async throws {
        let bench = try await Workbench(batchSize: 1)
        let other = "B1,Autre,732829320,73282932000074,,,,,"
        let ledger = try await bench.accounts(one, other, one, other.replacing("Autre", with: "Encore"))
        #expect(ledger == RunLedger(inserted: 1, quarantined: 2, skipped: 1))
        #expect(try await bench.texts("select distinct code from quarantine") == ["KEY-CONFLICT"])
    }

    @Test func `a broken row is kept whole and the rest goes on`() async throws {
        let bench = try await Workbench()
        let ledger = try await bench.accounts(
            one, "B1,Trop,peu", ",Sans code,,,,,,,", "C1,C,,,,,,,", "D1,D,,,,,,,")
        #expect(ledger == RunLedger(inserted: 3, quarantined: 2))
        let rows = try await bench.texts(
            "select line || ' ' || stage || ' ' || code || ' ' || convert_from(raw, 'UTF8') from quarantine order by line"
        )
        #expect(rows == ["3 parse CSV-RAGGED B1,Trop,peu", "4 map FIELD-REQUIRED ,Sans code,,,,,,,"])
    }

    @Test func `a file that breaks off in the middle changes nothing`() async throws {
        let bench = try await Workbench(batchSize: 1)
        let report = try await bench.run([
            try bench.write("id,name\nA,Un\nB,Deux\nC,\"Trois\n", "comptes.csv"),
            try bench.write("<a><b></a>", "facture.xml"),
        ])
        #expect(report.ledger == RunLedger(quarantined: 2))
        #expect(report.files.map { $0.refusal?.code } == ["CSV-OPEN-QUOTE", "XML-MALFORMED"])
        #expect(report.files[0].refusal?.place.line == 4)
        #expect(try await bench.numbers("select count(*) from party") == [0])
        #expect(try await bench.numbers("select ordinal from quarantine") == [0, 0])
    }

    @Test func `a file with more errors than its mapping allows is not applied at all`() async throws {
        let bench = try await Workbench()
        let path = try bench.write("id,name\nA,Un\n,b\n,c\n", "comptes.csv")
        let report = try await bench.run([path])
        #expect(report.files[0].isStoppedByLimit)
        #expect(report.ledger == RunLedger(quarantined: 1))
        #expect(try await bench.numbers("select count(*) from party") == [0])
    }

    @Test func `a value that the database refuses costs its own record only`() async throws {
        let bench = try await Workbench()
        let bad = "B1,Mauvaise TVA,732829320,73282932000074,FR/??,,,,"
        let ledger = try await bench.accounts(one, bad, "C1,Troisième,,,,,,,")
        #expect(ledger == RunLedger(inserted: 2, quarantined: 1))
        #expect(
            try await bench.texts("select stage || ' ' || code from quarantine") == ["write PG-CONSTRAINT"])
    }

    @Test func `a new version of an invoice replaces it with its lines and keeps the old one`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([Self.samples + "/comptes.csv"])
        let text = try String(contentsOfFile: Self.samples + "/factures/facture-simple.xml", encoding: .utf8)
        _ = try await bench.run([try bench.write(text, "f.xml")])
        let changed = text.replacing("Formation sur site", with: "Formation à distance")
        #expect(try await bench.run([try bench.write(changed, "f.xml")]).ledger == RunLedger(updated: 1))
        #expect(
            try await bench.texts("select label from sales_doc_line order by no") == [
                "Abonnement mensuel", "Formation à distance",
            ])
        #expect(
            try await bench.texts("select before->'sales_doc_line'->1->>'label' from run_change") == [
                "Formation sur site"
            ])
        #expect(try await bench.numbers("select version from sales_doc where kind = 'invoice'") == [2])
    }

    @Test func `the raw record of a refused invoice is its own element`() async throws {
        let bench = try await Workbench()
        let text = try String(
            contentsOfFile: Self.samples + "/factures/facture-client-inconnu.xml", encoding: .utf8)
        let body = text.drop { $0 != "\n" }.dropFirst()
        let report = try await bench.run([try bench.write("<lot>\n  \(body)</lot>", "lot.xml")])
        #expect(report.ledger == RunLedger(quarantined: 1))
        #expect(
            try await bench.texts("select convert_from(raw, 'UTF8') from quarantine") == [
                String(body.dropLast())
            ])
    }

    @Test func `the ledger adds up in every batch and the database refuses one that does not`() async throws {
        let bench = try await Workbench(batchSize: 2)
        _ = try await bench.accounts(one, "B1,B,,,,,,,", "C1,C,,,,,,,", "D1", "E1,E,,,,,,,")
        #expect(
            try await bench.numbers("select last_ordinal - first_ordinal + 1 from run_batch order by no") == [
                2, 2, 1,
            ])
        #expect(try await bench.numbers("select read from run") == [5])
        let error = await #expect(throws: PostgreSQLError.self) {
            _ = try await bench.numbers("update run set inserted = inserted + 1 returning id")
        }
        #expect(error?.diagnostic.facts["constraint"] == "run_ledger")
    }

    @Test func `two files of one export are one file of the run, kept together`() async throws {
        let mapping = try MappingDefinition.parse(
            """
            mapping: paire
            version: 1
            target: invoice
            source:
              kind: csv
              dialect: {delimiter: ";"}
              locale: fr
              filename: '^(?<lot>.*)_entetes\\.csv$'
              detail: {file: '{lot}_lignes.csv', key: [Num]}
            fields:
              kind: {const: invoice}
              number: {col: Num, required: true}
              issue_date: {const: '2026-01-01'}
              currency: {const: EUR}
              buyer.name: {col: Client}
              buyer.siren: {col: SIREN}
              seller.name: {const: Nous}
              seller.siren: {const: '404833048'}
              gross_total: {col: TTC, required: true}
              lines: {fields: {label: {col: Libelle}, net: {col: HT}}}
            match: {account: {try: [[siren, buyer.siren]], none: create}}
            """, file: "paire.yaml")
        let bench = try await Workbench(mapping: mapping)
        let header = "Num;Client;SIREN;TTC\nF1;Dupré;732829320;12\nF2;Dupré;732829320;24\n"
        let first = try bench.write(header, "a_entetes.csv")
        let lines = "Num;Libelle;HT\nF2;Vis;20\nF1;Écrou;10\nF9;Perdu;1\n"
        let second = try bench.write(lines, "a_lignes.csv")
        let report = try await bench.run([first, second])
        #expect(report.files.map(\.refusal?.code) == [nil])
        #expect(report.ledger == RunLedger(inserted: 2, quarantined: 1))
        let kept = "select string_agg(convert_from(bytes, 'UTF8'), '' order by no) from blob_chunk"
        #expect(try await bench.texts(kept) == [header + lines])
        #expect(
            try await bench.texts("select code || ' ' || convert_from(raw, 'UTF8') from quarantine")
                == ["CSV-ORPHAN-DETAIL F9;Perdu;1"])
        // Its place is one of the kept bytes: those of both files, one behind the other.
        let place = try await bench.texts(
            """
            select convert_from(substring(c.bytes from q.byte_start::int + 1 for (q.byte_end - q.byte_start)::int), 'UTF8')
            from quarantine q, blob_chunk c
            """)
        #expect(place[0]?.trimmingCharacters(in: .newlines) == "F9;Perdu;1")
        #expect(
            try await bench.texts(
                "select l.label from sales_doc_line l join sales_doc d on d.id = l.doc_id order by number")
                == ["Écrou", "Vis"])
        #expect(try await bench.run([first]).ledger == RunLedger(unchanged: 2, quarantined: 1))
        _ = try bench.write(lines + "F1;Clou;2\n", "a_lignes.csv")
        let changed = try await bench.run([first])
        #expect(changed.ledger == RunLedger(updated: 1, unchanged: 1, quarantined: 1))
        try FileManager.default.removeItem(atPath: second)
        #expect(try await bench.run([first]).files.map(\.refusal?.code) == ["MAP-DETAIL-MISSING"])
    }

    @Test func `the kept bytes are the file's, whatever its size`() async throws {
        let bench = try await Workbench()
        let rows = (0..<40_000).map { "N\($0),Client numéro \($0),,,,,,,\n" }.joined()
        let path = try bench.write("id,name,siren,siret,tva,street,postcode,city,phone\n" + rows, "gros.csv")
        #expect(try await bench.run([path]).ledger == RunLedger(inserted: 40_000))
        let kept = try await bench.texts(
            "select encode(sha256(string_agg(bytes, '' order by no)), 'hex') from blob_chunk")
        let hash = try await bench.texts("select encode(sha256, 'hex') from blob")
        #expect(kept == hash)
        #expect(try await bench.numbers("select count(*) from blob_chunk")[0] > 1)
    }

    @Test func `the bytes of before are news again where a source says how things are now`() async throws {
        let bench = try await Workbench()
        var settings = ImportSettings(blobs: bench.blobs)
        settings.skipsKnown = false
        let engine = ImportEngine(
            pool: bench.pool, source: "erp", settings, chooser: MappingChooser(try .shipped()))
        let header = "id,name,siren,siret,tva,street,postcode,city,phone\n"
        for name in ["Un", "Deux", "Un", "Un"] {
            let file = try bench.write(header + "C1,\(name),,,,,,,\n", "a.csv")
            let report = try await engine.run(ERPConnector(Settings(["paths": [file]])))
            #expect(report.ledger.skipped == 0)
        }
        #expect(try await bench.texts("select name from party") == ["Un"])
    }
}
