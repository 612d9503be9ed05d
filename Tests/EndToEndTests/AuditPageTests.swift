// SPDX-License-Identifier: Apache-2.0
// The audit over HTTP: filters, pages, export, and who may read it.

import Foundation
import RelaisTesting
import Testing

@Suite(.serialized) struct AuditPageTests {
    @Test func `the audit is filtered by who, what, which and when, and exported as it is filtered`()
        async throws
    {
        try await ConsoleSite.with { data, _ in
            let entries = """
                insert into audit (at, user_id, action, entity, entity_id, facts)
                select '2026-03-01 12:00+00'::timestamptz + i * interval '1 minute',
                  (select id from app_user where login = case when i % 2 = 0 then 'ines' else 'hugo' end),
                  case when i % 3 = 0 then 'account.seen' else 'account.edited' end, 'party', i % 10, '{}'
                from generate_series(1, 1205) i
                """
            _ = try await RelaisCommand.run(["db", "migrate", "--data", data])
            let result = try await RelaisCommand.run(["db", "psql", "--data", data, "--", "-c", entries])
            try #require(result.status == 0, "\(result.errors)")
        } body: { site in
            let ines = try await site.signIn("ines")
            func rows(_ page: ConsoleSite.Answer) -> Int {
                page.text.split(separator: "<tr role=\"row\">").count - 2
            }
            let all = try await ines.get("/audit?entity=party")
            #expect(all.status == 200 && rows(all) == 50)
            let next = try #require(all.text.firstMatch(of: #/href="([^"]+)" rel="next"/#))
            let path = String(next.output.1).replacing("&amp;", with: "&")
            #expect(path.contains("entity=party"), "the filter stays")
            #expect(try await rows(ines.get(path)) == 50)
            let seen = try await ines.get("/audit?action=account.seen&entity=party&object=3")
            #expect(
                seen.text.contains("Compte consulté")
                    && !seen.text.contains("<td role=\"cell\">Compte modifié"))
            #expect(seen.text.contains("/accounts/3\"") && !seen.text.contains("/accounts/4\""))
            let before = try await ines.get("/audit?to=28/02/2026")
            #expect(
                before.text.contains("Aucune entrée ne correspond")
                    && before.text.contains("Retirer les filtres"))
            let wrong = try await ines.get("/audit?from=31/02/2026")
            #expect(wrong.status == 422 && wrong.text.contains("31/02/2026"))
            let csv = try await ines.get("/audit.csv?entity=party")
            let lines = csv.text.split(separator: "\n")
            #expect(csv.fields["content-type"]?.hasPrefix("text/csv") == true)
            #expect(lines.count == 1206, "every entry once, across pieces")
            #expect(lines.first == "Quand;Qui;Quoi;Objet;Numéro;Précisions")
            #expect(
                lines.last?.hasPrefix("01/03/2026 13:01:00;Hugo Tessandier;compte modifié;party;1") == true)
            #expect(try await ines.get("/audit.csv?to=2026-02-28").text.split(separator: "\n").count == 1)
            #expect(try await ines.get("/audit.csv?from=rien").status == 400)
            let hugo = try await site.signIn("hugo")
            #expect(try await hugo.get("/audit").status == 403)
            #expect(try await hugo.get("/audit.csv").status == 403)
        }
    }
}
