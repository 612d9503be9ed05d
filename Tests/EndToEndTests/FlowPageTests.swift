// SPDX-License-Identifier: Apache-2.0
// One flow over HTTP: what it shows, how its connection is tested, how its definition is edited by two people at once.

import Foundation
import RelaisTesting
import Testing

@Suite(.serialized) struct FlowPageTests {
    private static func flow(_ inbox: String, cron: String = "30 2 * * *") -> String {
        """
        flow: clients
        description: Clients de la nuit
        connector: erp
        settings: {from: \(inbox), pattern: "*.csv"}
        mapping: accounts-csv
        schedule: {cron: "\(cron)", zone: Europe/Paris}
        expected_by: "07:00"
        alerts: {mail: [it@exemple.fr]}

        """
    }

    /// A console with a flow that reads a folder.
    private func withFlow(_ body: (ConsoleSite, _ inbox: URL) async throws -> Void) async throws {
        try await ConsoleSite.with { data, folder in
            let inbox = folder.appending(path: "inbox")
            try FileManager.default.createDirectory(at: inbox, withIntermediateDirectories: true)
            let file = folder.appending(path: "flow.yaml")
            try Data(Self.flow(inbox.path).utf8).write(to: file)
            let applied = try await RelaisCommand.run(["flows", "apply", file.path, "--data", data])
            try #require(applied.status == 0, "\(applied.errors)")
        } body: { site in
            try await body(site, site.folder.appending(path: "inbox"))
        }
    }

    @Test func `a flow says its rule, its settings, its alerts and what it never ran`() async throws {
        try await withFlow { site, inbox in
            let ines = try await site.signIn("ines")
            let page = try await ines.get("/flows/clients")
            #expect(page.status == 200)
            for text in [
                "Clients de la nuit", "Chaque jour à 02:30 (Europe/Paris)", inbox.path,
                "/mappings/accounts-csv",
                "Chaque jour à 07:00", "it@exemple.fr", "n’a pas encore tourné", "Fichiers (ERP)",
            ] { #expect(page.text.contains(text), "\(text)") }
            #expect(try await ines.get("/flows").text.contains("href=\"/flows/clients\""))
            #expect(try await ines.get("/flows/nulle-part").status == 404)
            let hugo = try await site.signIn("hugo")
            #expect(try await hugo.get("/flows/clients").status == 403)
            #expect(try await hugo.post("/flows/clients/edit", ["do": "check", "text": ""]).status == 403)
            #expect(try await hugo.post("/flows/clients/test").status == 403)
        }
    }

    @Test func `the connection is tested against what is really there`() async throws {
        try await withFlow { site, inbox in
            let ines = try await site.signIn("ines")
            #expect(try await ines.post("/flows/clients/test").text.contains("rien n’y attend"))
            try Data("id,name\n".utf8).write(to: inbox.appending(path: "lundi.csv"))
            #expect(try await ines.post("/flows/clients/test").text.contains("lundi.csv"))
            try FileManager.default.removeItem(at: inbox)
            let gone = try await ines.post("/flows/clients/test")
            #expect(gone.text.contains("ne peut pas servir") && gone.status == 200)
        }
    }

    @Test func `pausing from the page comes back to it, and the message takes it back`() async throws {
        try await withFlow { site, _ in
            let ines = try await site.signIn("ines")
            let paused = try await ines.post("/flows/clients", ["do": "pause", "from": "flow"])
            #expect(paused.status == 303 && paused.fields["location"] == "/flows/clients")
            #expect(try await ines.get("/flows/clients").text.contains("En pause"))
            #expect(try await ines.post("/flows/clients?do=resume&from=flow").status == 303)
            #expect(try await !ines.get("/flows/clients").text.contains("En pause"))
        }
    }

    @Test func `a definition with faults is refused with their places and kept as typed`() async throws {
        try await withFlow { site, inbox in
            let ines = try await site.signIn("ines")
            let bad = Self.flow(inbox.path).replacing("cron: \"30 2", with: "cron: \"99 2")
            let refused = try await ines.post(
                "/flows/clients/edit", ["do": "save", "base": "1", "text": bad])
            #expect(refused.status == 422)
            #expect(refused.text.contains("<code>6:"), "the line and column of the fault")
            #expect(refused.text.contains("99 2 * * *"))
            let renamed = Self.flow(inbox.path).replacing("flow: clients", with: "flow: autre")
            let other = try await ines.post(
                "/flows/clients/edit", ["do": "save", "base": "1", "text": renamed])
            #expect(other.status == 422 && other.text.contains("autre"))
            let good = try await ines.post(
                "/flows/clients/edit", ["do": "check", "base": "1", "text": Self.flow(inbox.path)])
            #expect(good.status == 200 && good.text.contains("Aucune faute"))
            #expect(try await ines.get("/flows/clients").text.contains("version 1"))
        }
    }

    @Test func `of two who edit at once the second sees both texts, and an undo brings the first text back`()
        async throws
    {
        try await withFlow { site, inbox in
            let ines = try await site.signIn("ines")
            func save(_ base: String, _ cron: String) async throws -> ConsoleSite.Answer {
                let text = Self.flow(inbox.path, cron: cron).replacing("\n", with: "\r\n")
                return try await ines.post(
                    "/flows/clients/edit", ["do": "save", "base": base, "text": text])
            }
            #expect(try await save("1", "0 4 * * 1-5").status == 303)
            let late = try await save("1", "0 5 * * *")
            #expect(late.status == 409)
            #expect(late.text.contains("0 5 * * *") && late.text.contains("0 4 * * 1-5"))
            #expect(late.text.contains("name=\"base\" value=\"2\""))
            #expect(try await ines.get("/flows/clients").text.contains("Du lundi au vendredi à 04:00"))
            #expect(try await ines.post("/flows/clients/revert?from=2&to=1").status == 303)
            #expect(try await ines.get("/flows/clients").text.contains("Chaque jour à 02:30"))
            #expect(try await ines.post("/flows/clients/revert?from=2&to=1").status == 303, "the same text")
            let lost = try await ines.post("/flows/clients/revert?from=1&to=2")
            #expect(lost.status == 409, "somebody else has saved since")
        }
    }
}
