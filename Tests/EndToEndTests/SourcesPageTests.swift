// SPDX-License-Identifier: Apache-2.0
// Sources over HTTP: added, named, believed otherwise, and each of that taken back.

import Foundation
import RelaisTesting
import Testing

@Suite(.serialized) struct SourcesPageTests {
    private static func psql(_ sql: String, _ data: String) async throws -> String {
        let result = try await RelaisCommand.run(["db", "psql", "--data", data, "--", "-qAtc", sql])
        try #require(result.status == 0, "\(result.errors)")
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// An account of the ERP, of which the CRM, believed more, says otherwise.
    private static func prepare(_ data: String, _ folder: URL) async throws {
        let added = try await RelaisCommand.run(
            ["users", "add", "igor", "--role", "back_office", "--password-stdin", "--data", data],
            input: ConsoleSite.password)
        try #require(added.status == 0, "\(added.errors)")
        _ = try await psql(
            """
            with p as (
              insert into party (kind, name, status) values ('organisation', 'Atelier', 'client') returning id
            ), o as (insert into org (party_id) select id from p)
            insert into field_claim (entity, entity_id, field, source_id, value)
              select 'party', p.id, 'name', s.id, case s.code when 'crm' then 'Atelier' else 'Atelier Durand' end
              from p, source_system s where s.code in ('crm', 'erp')
            """, data)
    }

    @Test func `the trust of a source is previewed, changed by a run, and put back by its undo`() async throws
    {
        try await ConsoleSite.with(Self.prepare) { site in
            let ines = try await site.signIn("ines")
            #expect(try await ines.get("/sources").text.contains("href=\"/sources/erp\""))
            let page = try await ines.get("/sources/erp")
            #expect(page.status == 200 && page.text.contains("1 compte et 0 personne"))
            #expect(!page.text.contains("action=\"/sources/erp/trust\""))
            for (typed, text) in [("100", "« 100 » n’est pas un nombre entier"), ("50", "est déjà 50")] {
                let wrong = try await ines.get("/sources/erp?trust=\(typed)")
                let plain = wrong.text.replacing("\u{A0}", with: " ")
                #expect(wrong.status == 422 && plain.contains(text), "\(typed)")
                #expect(wrong.text.contains("value=\"\(typed)\""), "kept as typed")
            }
            let preview = try await ines.get("/sources/erp?trust=70")
            #expect(preview.text.contains("1 garderait une autre valeur"))
            #expect(preview.text.contains("Passer la confiance de 50 à 70"))
            func kept() async throws -> String {
                try await Self.psql(
                    "select p.name || s.trust from party p, source_system s where p.name like 'Atelier%' and s.code = 'erp'",
                    site.data)
            }
            #expect(try await kept() == "Atelier50", "nothing is done yet")
            let changed = try await ines.post("/sources/erp/trust", ["trust": "70"])
            let run = try #require(changed.fields["location"])
            #expect(changed.status == 303 && run.hasPrefix("/runs/"))
            try await RelaisTesting.until { try await !ines.get(run).text.contains("data-stream") }
            #expect(try await kept() == "Atelier Durand70")
            let shown = try await ines.get(run).text.replacing("\u{A0}", with: " ")
            #expect(shown.contains("Confiance de « erp » : 50 → 70") && shown.contains("\(run)/undo"))
            let audit = try await ines.get("/audit?entity=source").text
            #expect(audit.contains("Confiance d’une source changée") && audit.contains("erp · 50 → 70"))
            // Whoever runs flows sees the run, but does not decide whom to believe.
            let igor = try await site.signIn("igor")
            #expect(try await igor.get(run).status == 200)
            #expect(try await !igor.get(run).text.contains("\(run)/undo"))
            #expect(try await igor.post("\(run)/undo").status == 403)
            #expect(try await ines.post("\(run)/undo").status == 303)
            #expect(try await kept() == "Atelier50")
            let command = try await RelaisCommand.run(
                ["sources", "trust", "erp", "70", "--dry-run", "--data", site.data])
            #expect(command.status == 0 && command.output.contains("1 garderait une autre valeur"))
            let done = try await RelaisCommand.run(["sources", "trust", "erp", "70", "--data", site.data])
            #expect(done.status == 0 && done.output.contains("Confiance de erp"), "\(done.errors)")
            #expect(try await kept() == "Atelier Durand70")
        }
    }

    @Test func `a source is added and named, each undone by its message, and refused with the field named`()
        async throws
    {
        try await ConsoleSite.with(Self.prepare) { site in
            let ines = try await site.signIn("ines")
            let new = ["code": "negoce", "name": "Négoce Ouest", "kind": "erp", "trust": "45"]
            for (field, value, text) in [
                ("code", "Négoce", "Code"), ("code", "erp", "Code"), ("trust", "beaucoup", "Confiance"),
                ("kind", "x", "Genre"), ("name", String(repeating: "n", count: 101), "Nom"),
            ] {
                let wrong = try await ines.post("/sources", new.merging([field: value]) { $1 })
                #expect(wrong.status == 422 && wrong.text.contains("<b>\(text)\u{A0}:"), "\(field)")
                #expect(
                    wrong.text.contains("aria-invalid") && wrong.text.contains("negoce") || field == "code")
            }
            #expect(try await ines.post("/sources", new).status == 303)
            let list = try await ines.get("/sources").text
            #expect(list.contains(">Négoce Ouest</a>") && list.contains("<code>negoce</code>"))
            #expect(try await ines.post("/sources/negoce/name", ["name": "Négoce"]).status == 303)
            #expect(try await ines.get("/sources/negoce").text.contains("Source Négoce"))
            let before = "N%C3%A9goce%20Ouest"
            #expect(try await ines.post("/sources/negoce/name?name=\(before)").status == 303)
            #expect(try await ines.get("/sources/negoce").text.contains("Négoce Ouest"))
            #expect(try await ines.post("/sources/negoce/delete").status == 303)
            #expect(try await ines.get("/sources/negoce").status == 404)
            let used = try await ines.post("/sources/erp/delete")
            #expect(used.status == 422 && used.text.contains("ne peut plus être retirée"))
            let igor = try await site.signIn("igor")
            let seen = try await igor.get("/sources")
            #expect(seen.status == 200 && !seen.text.contains("href=\"/sources/erp\""))
            #expect(try await igor.get("/sources/erp").status == 403)
            for path in ["", "/erp/trust", "/erp/name", "/erp/delete"] {
                #expect(try await igor.post("/sources\(path)", new).status == 403)
            }
        }
    }
}
