// SPDX-License-Identifier: Apache-2.0
// The node's settings over HTTP: who said them, whether the node has what it needs.

import Foundation
import RelaisTesting
import Testing

@Suite(.serialized) struct SettingsPageTests {
    @Test func `settings say where they were said, and checks what they found`() async throws {
        try await ConsoleSite.with(
            { data, _ in
                let text = "smtp: smtp://relais@127.0.0.1:9\nsmtp_from: relais@exemple.fr\nkeep_jobs: 12\n"
                try Data(text.utf8).write(to: URL(filePath: data + "/relais.yaml"))
                let result = try await RelaisCommand.run(
                    ["users", "add", "igor", "--role", "back_office", "--password-stdin", "--data", data],
                    input: ConsoleSite.password)
                try #require(result.status == 0, "\(result.errors)")
            }, arguments: ["--stop-within", "7"], environment: ["RELAIS_ZONE": "Europe/Brussels"]
        ) { site in
            let ines = try await site.signIn("ines")
            let page = try await ines.get("/settings")
            for text in [
                "relais.yaml:3:", "environnement, RELAIS_ZONE", "option --stop-within", "par défaut",
                "Europe/Brussels", "smtp://relais@127.0.0.1:9",
            ] { #expect(page.text.contains(text), "\(text)") }
            #expect(!page.text.contains("page.settings."), "every setting has its name in words")
            let checked = try await ines.post("/settings/checks", ["do": "all"])
            #expect(checked.status == 200)
            for text in ["réponse en", "écrits, relus, supprimés", "Pas encore de clé"] {
                #expect(checked.text.contains(text), "\(text)")
            }
            #expect(!checked.text.contains("En défaut"))
            // The same file again: what the first left is no hindrance.
            let again = try await ines.post("/settings/checks", ["do": "blobs"])
            #expect(again.text.contains("écrits, relus, supprimés") && !again.text.contains("réponse en"))
            let files = FileManager.default.enumerator(atPath: site.data + "/blobs")?.allObjects ?? []
            #expect(!files.contains { ($0 as? String)?.split(separator: "/").last?.count == 64 })
            #expect(try await ines.post("/settings/checks", ["do": "rien"]).status == 400)
            // A fault is told, with what to do.
            try Data("x".utf8).write(to: URL(filePath: site.data + "/secret.key"))
            let faulty = try await ines.post("/settings/checks", ["do": "key"])
            #expect(faulty.text.contains("En défaut"))
            let wrong = try await ines.post("/settings/mail", ["address": "pas une adresse"])
            #expect(wrong.status == 422 && wrong.text.contains("pas une adresse"))
            let unsent = try await ines.post("/settings/mail", ["address": "a@exemple.fr"])
            #expect(unsent.status == 422 && unsent.text.contains("a@exemple.fr"), "kept as typed")
            for login in ["hugo", "igor"] {
                let other = try await site.signIn(login)
                #expect(try await other.get("/settings").status == 403)
                #expect(try await other.post("/settings/checks", ["do": "all"]).status == 403)
                #expect(try await other.post("/settings/mail", ["address": "a@b.fr"]).status == 403)
            }
        }
    }
}
