// SPDX-License-Identifier: Apache-2.0
// `relais mapping`: from an unknown table to a tested mapping, and the reference of the language.

import Foundation
import RelaisTesting
import Testing

@Suite struct MappingCommandTests {
    private func withFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private let table = """
        No pièce;Date pièce;Compte client;Nom du client;Total H.T.;Total TVA;Total T.T.C.;Livré le;Commercial
        V-1;13/04/2026;411D;Dupont;1 200,50;240,10;1 440,60;01/02/2026;AB
        V-2;02/05/2026;411L;Le Goff;-10,00;-2,00;-12,00;03/04/2026;

        """

    @Test func `a stranger's table becomes a tested mapping in four commands`() async throws {
        try await withFolder { folder in
            let data = folder.appending(path: "ventes.csv")
            let mapping = folder.appending(path: "ventes.yaml")
            try Data(table.utf8).write(to: data)
            let draft = try await RelaisCommand.run(["mapping", "infer", data.path])
            #expect(draft.status == 0)
            #expect(draft.output.contains("issue_date: {col: \"Date pièce\", format: dd/MM/yyyy"))
            #expect(draft.output.contains("locale: fr"))
            #expect(draft.errors.contains("[INFER-AMBIGUOUS-DATE]"))
            let unfinished = draft.output.replacing("encoding: [utf-8]", with: "encoding: [utf-9]")
            try Data(unfinished.utf8).write(to: mapping)
            let faulty = try await RelaisCommand.run(["mapping", "check", mapping.path])
            #expect(faulty.status == 1)
            #expect(faulty.output.contains("ventes.yaml:7:14 error MAP-VALUE-UNKNOWN"))
            var text = draft.output + "tests: [ventes.csv]\n"
            for field in ["kind", "currency"] { text = text.replacing("# \(field):", with: "\(field):") }
            try Data(text.utf8).write(to: mapping)
            #expect(try await RelaisCommand.run(["mapping", "check", mapping.path]).status == 0)
            let coverage = try await RelaisCommand.run(
                ["mapping", "coverage", data.path, "--mapping", mapping.path, "--json"])
            #expect(coverage.output.contains("{\"count\":1,\"name\":\"Commercial\",\"state\":\"unread\"}"))
            #expect(try await RelaisCommand.run(["mapping", "test", mapping.path, "--accept"]).status == 0)
            #expect(try await RelaisCommand.run(["mapping", "test", mapping.path]).status == 0)
            try Data(table.replacing("V-2", with: "V-9").utf8).write(to: data)
            let changed = try await RelaisCommand.run(["mapping", "test", mapping.path])
            #expect(changed.status == 1)
            #expect(changed.output.contains("ventes.csv[2].fields.number: \"V-2\" → \"V-9\""))
        }
    }

    @Test func `a mapping is explained field by field, with what each costs`() async throws {
        let text = try await RelaisCommand.run(["mapping", "explain", "zugferd-1"])
        #expect(text.status == 0)
        #expect(text.output.contains("CrossIndustryDocument"))
        let json = try await RelaisCommand.run(["mapping", "explain", "cii-invoice", "--json"])
        let lines = json.output.split(separator: "\n").map(String.init)
        #expect(lines.count > 60)
        let number = try #require(lines.first { $0.contains("\"field\":\"number\"") })
        #expect(number.contains("{\"operations\":0,\"patterns\":0,\"places\":1,\"short\":true}"))
        let siren = try #require(lines.first { $0.contains("\"field\":\"seller.siren\"") })
        #expect(siren.contains("\"patterns\":"))
        #expect(try await RelaisCommand.run(["mapping", "explain", "rien"]).status == 1)
    }

    @Test func `the shipped mappings have no fault and read their samples as before`() async throws {
        #expect(try await RelaisCommand.run(["mapping", "check"]).status == 0)
        let tested = try await RelaisCommand.run(["mapping", "test"])
        #expect(tested.status == 0, "\(tested.output)")
        #expect(!tested.errors.contains("aucun exemple"))
    }

    @Test func `samples compare equal in every language, and a draft speaks the user's`() async throws {
        let english = ["LANG": "en_US.UTF-8"]
        let tested = try await RelaisCommand.run(["mapping", "test"], environment: english)
        #expect(tested.status == 0, "\(tested.output)")
        try await withFolder { folder in
            let data = folder.appending(path: "ventes: 1.csv")
            try Data(table.utf8).write(to: data)
            let draft = try await RelaisCommand.run(["mapping", "infer", data.path], environment: english)
            #expect(draft.output.contains("# 2 rows read, 9 columns."))
            #expect(draft.output.contains("mapping: ventes--1"))
            #expect(!draft.output.contains("infer."))
        }
    }

    @Test func `a header with line ends in it cannot add lines to a draft`() async throws {
        try await withFolder { folder in
            let data = folder.appending(path: "piege.csv")
            let mapping = folder.appending(path: "piege.yaml")
            let header = "\"inconnue\nversion: 9\";\"Raison\nsociale\";SIREN;code"
            try Data("\(header)\n\"a\nb\";Dupont;991002015;C1\n".utf8).write(to: data)
            let draft = try await RelaisCommand.run(["mapping", "infer", data.path, "--target", "account"])
            try Data(draft.output.utf8).write(to: mapping)
            let checked = try await RelaisCommand.run(["mapping", "check", mapping.path])
            #expect(checked.status == 0, "\(draft.output) \(checked.output)")
            let mapped = try await RelaisCommand.run(["map", data.path, "--mapping", mapping.path, "--json"])
            #expect(mapped.output.contains("\"name\":\"Dupont\""))
        }
    }

    @Test func `coverage of a broken file says what is broken`() async throws {
        try await withFolder { folder in
            let data = folder.appending(path: "profond.xml")
            let invoice = "<Invoice xmlns='urn:oasis:names:specification:ubl:schema:xsd:Invoice-2'>"
            try Data((invoice + String(repeating: "<d>", count: 100_000)).utf8).write(to: data)
            let coverage = try await RelaisCommand.run(["mapping", "coverage", data.path])
            #expect(coverage.status == 1)
            #expect(coverage.errors.contains("[XML-DEPTH]"))
        }
    }

    @Test func `the reference is rendered from the table of keys`() async throws {
        let rendered = try await RelaisCommand.run(["mapping", "keys"])
        let file = Repository.root.appending(path: "docs/langage-des-correspondances.md")
        #expect(try String(contentsOf: file, encoding: .utf8).hasSuffix(rendered.output))
    }

    @Test func `a template is the header that the mapping reads`() async throws {
        let template = try await RelaisCommand.run(["mapping", "template", "factures-csv"])
        #expect(template.output.hasPrefix("\u{FEFF}NumFacture;DateFacture;DateEcheance;"))
        let none = try await RelaisCommand.run(["mapping", "template", "ubl-invoice"])
        #expect(none.status == 1)
        #expect(none.errors.contains("[MAP-NO-TEMPLATE]"))
    }

    @Test func `what was read is written as a table, faulty records apart`() async throws {
        let samples = Repository.root.appending(path: "Mappings/erp/tests")
        let file = samples.appending(path: "factures-csv_plates.csv").path
        let written = try await RelaisCommand.run(["map", file, "--export", "export-factures"])
        #expect(written.status == 3)
        let golden = samples.appending(path: "factures-csv_plates.export.csv")
        let expected = String(decoding: try Data(contentsOf: golden), as: UTF8.self)
        #expect(written.output == expected)
        #expect(written.errors.contains("FIELD-NOT-DATE"))
        let unknown = try await RelaisCommand.run(["map", file, "--export", "export-facture"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("export-factures"))
    }

    @Test func `a missing second file is named`() async throws {
        try await withFolder { folder in
            let mapping = folder.appending(path: "paire.yaml")
            let text = """
                mapping: paire
                version: 1
                target: invoice
                source:
                  kind: csv
                  filename: '^(?<lot>.*)_entetes\\.csv$'
                  detail: {file: '{lot}_lignes.csv', key: [n]}
                fields:
                  kind: {const: invoice}
                  number: {col: n, required: true}
                  issue_date: {const: '2026-01-01'}
                  currency: {const: EUR}
                  gross_total: {col: t, required: true}
                  lines: {fields: {net: {col: m}}}
                """
            try Data(text.utf8).write(to: mapping)
            let headers = folder.appending(path: "mai_entetes.csv")
            try Data("n,t\n1,2\n".utf8).write(to: headers)
            let arguments = ["map", headers.path, "--mapping", mapping.path]
            let missing = try await RelaisCommand.run(arguments)
            #expect(missing.status == 1)
            #expect(missing.errors.contains("mai_lignes.csv"))
            #expect(missing.errors.contains("MAP-DETAIL-MISSING"))
            let lines = folder.appending(path: "mai_lignes.csv")
            try Data("n,m\n1,2\n".utf8).write(to: lines)
            let both = try await RelaisCommand.run(arguments + [lines.path])
            #expect(both.status == 0)
            #expect(both.output.contains("lines: 1"))
            #expect(both.errors.contains("mai_entetes.csv"))
            let alone = try await RelaisCommand.run(["map", lines.path, "--mapping", mapping.path])
            #expect(alone.status == 1)
            #expect(alone.errors.contains("MAP-DETAIL-ALONE"))
        }
    }

    @Test func `coverage of XML names the paths that are not read`() async throws {
        let sample = Repository.root.appending(path: "Mappings/erp/tests/cii-invoice_remise-et-acompte.xml")
            .path
        let coverage = try await RelaisCommand.run(["mapping", "coverage", sample, "--json"])
        #expect(coverage.output.contains("\"ExchangedDocument/ID\",\"state\":\"read\""))
        #expect(coverage.output.contains("BilledQuantity/@unitCode\",\"state\":\"unread\""))
    }
}
