// SPDX-License-Identifier: Apache-2.0
// What an ERP sends beside accounts and invoices, and what follows from it.

import CRM
import Diagnostics
import Foundation
import Hub
import Mapping
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct MirrorTests {
    private static let samples = Repository.root.appending(path: "Connectors/ERP/Samples").path

    private func statuses(_ bench: Workbench) async throws -> [String?] {
        try await bench.texts(
            "select number || ' ' || billing_status || ' ' || trim_scale(open_amount) from sales_doc where kind in ('invoice', 'credit_note') order by number"
        )
    }

    private func invoice(
        _ number: String, due: String = "31/12/2999", gross: String = "100", status: String = ""
    )
        -> String
    {
        "\(number);01/02/2026;\(due);N1;Neuf;732829320;;;;\(gross);EUR;\(status)"
    }

    private func payments(_ bench: Workbench, _ rows: String..., name: String = "paiements.csv") throws
        -> String
    {
        try bench.write(
            "NumPaiement;DatePaiement;CodeClient;RaisonSociale;Mode;Montant;Devise;NumFacture;MontantImpute\n"
                + rows.joined(separator: "\n") + "\n", name)
    }

    @Test func `the billing status follows from the document, its payments and the day`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([
            try bench.invoices([
                invoice("A"), invoice("B"), invoice("C", due: "01/03/2026"), invoice("D", status: "payée"),
                invoice("E", status: "litige"), invoice("F", status: "annulée"),
            ])
        ])
        #expect(
            try await statuses(bench) == [
                "A open 100", "B open 100", "C overdue 100", "D paid 0", "E disputed 100", "F cancelled 0",
            ])
        let paid = try payments(
            bench, "R1;05/02/2026;N1;Neuf;Virement;140;EUR;A;100",
            "R1;05/02/2026;N1;Neuf;Virement;140;EUR;B;40",
            "R2;06/03/2026;N1;Neuf;Chèque;100;EUR;C;100")
        let run = try await bench.run([paid])
        #expect(run.ledger == RunLedger(inserted: 2))
        #expect(try await statuses(bench).prefix(3) == ["A paid 0", "B partly_paid 60", "C paid 0"])
        #expect(
            try await bench.texts(
                "select d.number || trim_scale(i.open_amount) from instalment i join sales_doc d on d.id = doc_id where d.number < 'D' order by 1"
            ) == ["A0", "B60", "C0"])
        try await bench.undo(run.run)
        #expect(try await statuses(bench).prefix(3) == ["A open 100", "B open 100", "C overdue 100"])
    }

    @Test func `a payment that comes before its invoice counts once the invoice is there`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([try bench.invoices([invoice("A")])])
        _ = try await bench.run([try payments(bench, "R1;05/02/2026;N1;Neuf;Virement;100;EUR;Z;100")])
        _ = try await bench.run([try bench.invoices([invoice("Z")], name: "z.csv")])
        #expect(try await statuses(bench) == ["A open 100", "Z paid 0"])
    }

    @Test func `lifecycle statuses and the ledger decide over what the document says`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([try bench.invoices([invoice("FA-101"), invoice("FA-102")])])
        let folder = Repository.root.appending(path: "Mappings/erp/tests").path
        let text = try String(contentsOfFile: folder + "/cdar-status_deposee-refusee.xml", encoding: .utf8)
        let run = try await bench.run([try bench.write(text, "cdar.xml")])
        #expect(run.ledger == RunLedger(inserted: 2))
        #expect(try await statuses(bench) == ["FA-101 open 100", "FA-102 cancelled 0"])
        _ = try await bench.run([try bench.write(text + "<!-- -->", "cdar2.xml")])
        #expect(try await bench.numbers("select count(*) from einvoice_event") == [2])
        let ledger = try await bench.run([folder + "/fec_tabulations.txt"])
        #expect(ledger.ledger.inserted == 2)
        #expect(
            try await bench.numbers("select count(*) from ledger_entry where party_id is not null") == [2])
        let again = try String(contentsOfFile: folder + "/fec_tabulations.txt", encoding: .isoLatin1)
        let copy = bench.folder.appending(path: "fec_copie.txt")
        try (again + "\r\n").data(using: .isoLatin1)?.write(to: copy)
        #expect(try await bench.run([copy.path]).ledger.inserted == 0)
    }

    @Test func `collections that a platform tells add up`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([try bench.invoices([invoice("FA-101"), invoice("FA-102")])])
        let folder = Repository.root.appending(path: "Mappings/erp/tests").path
        let text = try String(contentsOfFile: folder + "/cdar-status_deposee-refusee.xml", encoding: .utf8)
        func collect(_ amount: String, _ hour: String) async throws -> [String?] {
            let value =
                "<ram:SpecifiedDocumentStatus><ram:SpecifiedDocumentCharacteristic><ram:TypeCode>MEN</ram:TypeCode><ram:ValueAmount>\(amount)</ram:ValueAmount></ram:SpecifiedDocumentCharacteristic></ram:SpecifiedDocumentStatus>"
            let event = text.replacing(
                "Code>200</ram:ProcessConditionCode>", with: "Code>212</ram:ProcessConditionCode>\(value)"
            )
            .replacing("20260105", with: "20260201").replacing("Code>210<", with: "Code>205<")
            .replacing("20260206100000", with: "20260206\(hour)0000")
            _ = try await bench.run([try bench.write(event, "cdar\(hour).xml")])
            return try await statuses(bench)
        }
        #expect(try await collect("40", "10") == ["FA-101 partly_paid 60", "FA-102 open 100"])
        #expect(try await collect("60", "11") == ["FA-101 paid 0", "FA-102 open 100"])
        #expect(
            try await bench.numbers("select count(*) from einvoice_event where status_code = '212'") == [2])
    }

    @Test func `the ledger finds the invoices of the ERP by the client's code`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([try bench.invoices([invoice("V1"), invoice("V2")])])
        let rows = """
            JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\tPieceDate\tEcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise
            VT\tVentes\t1\t20260201\t411000\tClients\tN1\tNeuf\tV1\t20260201\tVente\t100,00\t0,00\tA\t20260301\t20260331\t\t
            VT\tVentes\t1\t20260201\t706000\tVentes\t\t\tV1\t20260201\tVente\t0,00\t100,00\t\t\t20260331\t\t
            VT\tVentes\t2\t20260201\t411000\tClients\tN1\tNeuf\tV2\t20260201\tVente\t100,00\t0,00\t\t\t20260331\t\t
            VT\tVentes\t2\t20260201\t706000\tVentes\t\t\tV2\t20260201\tVente\t0,00\t100,00\t\t\t20260331\t\t

            """
        let ledger = try await bench.run([try bench.write(rows, "991002015FEC20261231.txt")]).ledger
        #expect(ledger == RunLedger(inserted: 2, skipped: 2))
        // A lettered entry is settled.
        #expect(try await statuses(bench) == ["V1 paid 0", "V2 open 100"])
    }

    @Test func `a credit note finds its invoice, whichever comes first`() async throws {
        let query = """
            select c.number || ' ' || i.number || ' ' || trim_scale(i.open_amount) from sales_doc c
            join sales_doc i on i.id = c.parent_id
            """
        for files in [["facture-simple.xml", "avoir.xml"], ["avoir.xml", "facture-simple.xml"]] {
            let bench = try await Workbench()
            _ = try await bench.run([Self.samples + "/comptes.csv"])
            for file in files { _ = try await bench.run([Self.samples + "/factures/" + file]) }
            #expect(try await bench.texts(query) == ["AV-2026-0007 FA-2026-0101 1152"])
        }
    }

    @Test func `an invoice makes a stub of its contract, which the contract then fills`() async throws {
        let bench = try await Workbench()
        _ = try await bench.run([Self.samples + "/comptes.csv"])
        let text = try String(contentsOfFile: Self.samples + "/factures/facture-simple.xml", encoding: .utf8)
        _ = try await bench.run([try bench.write(text, "f.xml")])
        let links = """
            select c.number || ' ' || c.is_stub || ' ' || coalesce(c.label, '–') || ' ' || c.version
            from sales_doc d join sales_doc c on c.id = d.contract_id
            """
        #expect(try await bench.texts(links) == ["CT-2026-7 true – 1"])
        let header =
            "NumAbonnement;Libelle;CodeClient;RaisonSociale;SIREN;DateDebut;DateFin;DateResiliation;ProchaineFacturation;Periodicite;Reconduction;PreavisJours;Devise;MontantHT\n"
        let row =
            "CT-2026-7;Télésurveillance;C-001;Épicerie;991002015;01/01/2026;31/12/2026;;01/12/2026;mensuelle;tacite;90;EUR;49,90\n"
        let contract = try await bench.run([try bench.write(header + row, "abonnements.csv")])
        #expect(contract.ledger == RunLedger(updated: 1))
        #expect(try await bench.texts(links) == ["CT-2026-7 false Télésurveillance 2"])
    }

    @Test func `people come with their account, change jobs, and go back`() async throws {
        let bench = try await Workbench()
        _ = try await bench.accounts("A1,Un,404833048,,,,35000,RENNES,", "B1,Deux,732829320,,,,29200,BREST,")
        let header = "Code;Civilité;Prénom;Nom;Fonction;Courriel;Téléphone;Portable;SIREN\n"
        let anne = "P1;Mme;Anaïs;Le Goff;Directrice;A@x.example.fr;;06 12 34 56 78;404833048\n"
        let first = try await bench.run([
            try bench.write(header + anne + "P2;M.;Jean;Martin;;;;;404833048\n", "contacts.csv")
        ])
        #expect(first.ledger == RunLedger(inserted: 2))
        let people = """
            select p.name || ' ' || coalesce(r.label, '–') || ' ' || a.name || ' ' || upper_inf(r.valid)
            from party p join relation r on r.from_id = p.id join party a on a.id = r.to_id
            order by p.name, r.id
            """
        #expect(
            try await bench.texts(people) == ["Anaïs Le Goff Directrice Un true", "Jean Martin – Un true"])
        let contacts = try await bench.texts("select value_norm from contact_point order by 1")
        #expect(contacts == ["+33612345678", "a@x.example.fr"])
        let before = try await bench.content()
        _ = try await bench.run([
            try bench.write(header + anne + "\nP2;M.;Jean;Martin;;;;;404833048\n", "b.csv")
        ])
        #expect(try await bench.content() == before)
        let moved = anne.replacing("404833048", with: "732829320").replacing("Le Goff", with: "Le Goff-Roux")
        let second = try await bench.run([try bench.write(header + moved, "c.csv")])
        #expect(second.ledger == RunLedger(updated: 1))
        #expect(
            try await bench.texts(people).prefix(2) == [
                "Anaïs Le Goff-Roux Directrice Un false", "Anaïs Le Goff-Roux Directrice Deux true",
            ])
        let undo = try await bench.undo(second.run)
        #expect(undo.exceptions.isEmpty)
        #expect(
            try await bench.texts(people) == ["Anaïs Le Goff Directrice Un true", "Jean Martin – Un true"])
        #expect(try await bench.texts("select last_name from person order by 1") == ["Le Goff", "Martin"])
        try await bench.undo(first.run)
        #expect(try await bench.numbers("select count(*) from party where kind = 'person'") == [0])
        let unknown = try await bench.run([
            try bench.write(header + "P9;M.;Paul;Seul;;;;;552100554\n", "d.csv")
        ])
        #expect(unknown.ledger == RunLedger(quarantined: 1))
    }

    @Test func `lines that a contract no longer has are closed, and opened again when they come back`()
        async throws
    {
        let bench = try await Workbench()
        _ = try await bench.run([Self.samples + "/comptes.csv"])
        let header = "Ref,IdCompany,CompanyName,ProfId1,DateContract,LineId,LineLabel,LineQty,LineTotalHT\n"
        func contract(_ lines: String..., name: String) throws -> String {
            let rows = lines.map { "CT-9,,Épicerie,991002015,2026-01-05,\($0),Ligne \($0),1,10\n" }
            return try bench.write(header + rows.joined(), name)
        }
        #expect(try await bench.run([try contract("1", "2", name: "a.csv")]).ledger == RunLedger(inserted: 1))
        #expect(try await bench.run([try contract("1", name: "b.csv")]).ledger == RunLedger(updated: 1))
        let lines = "select ext_id || ' ' || (closed_on is not null) from sales_doc_line order by no"
        #expect(try await bench.texts(lines) == ["1 false", "2 true"])
        let again = try await bench.run([
            try bench.write(header + "CT-9,,Épicerie,991002015,2026-01-05,1,Ligne 1,1,10.00\n", "c.csv")
        ])
        #expect(again.ledger == RunLedger(unchanged: 1))
        #expect(try await bench.run([try contract("2", "1", name: "d.csv")]).ledger == RunLedger(updated: 1))
        #expect(try await bench.texts(lines) == ["2 false", "1 false"])
    }

    @Test func `a file that would change too much is not applied`() async throws {
        let text = try String(
            contentsOf: Repository.root.appending(path: "Mappings/crm/accounts-csv.yaml"), encoding: .utf8)
        let mapping = try MappingDefinition.parse(
            text.replacing("stop_ratio: 0.5", with: "stop_ratio: 0.5, stop_changed: 0.3"),
            file: "comptes.yaml")
        let bench = try await Workbench(mapping: mapping)
        let rows = (0..<10).map { "A\($0),Client \($0),,,,,35000,RENNES," }
        _ = try await bench.accounts(rows.joined(separator: "\n"))
        let some = rows.enumerated().map { $0 < 3 ? $1.replacing("RENNES", with: "BREST") : $1 }
        #expect(
            try await bench.accounts(some.joined(separator: "\n"), name: "b.csv")
                == RunLedger(updated: 3, unchanged: 7))
        let most = rows.map { $0.replacing("RENNES", with: "QUIMPER") }
        #expect(
            try await bench.accounts(most.joined(separator: "\n"), name: "c.csv") == RunLedger(quarantined: 1)
        )
        #expect(try await bench.texts("select code from quarantine") == ["LIMIT-CHANGED"])
        #expect(try await bench.texts("select distinct city from site order by 1") == ["BREST", "RENNES"])
    }
}
