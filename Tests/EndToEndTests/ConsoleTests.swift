// SPDX-License-Identifier: Apache-2.0
// The console in a real browser: signing in, mending, undoing, the 360° view; and whoever should not get in.

import Foundation
import RelaisTesting
import Testing

@Suite(.serialized) struct ConsoleTests {
    private static let password = "quatre mots bien choisis"

    /// A daemon whose database holds the samples and three users, at its address.
    private func withConsole(_ body: (_ address: String) async throws -> Void) async throws {
        try await withDataFolder { data, folder in
            let samples = Repository.root.appending(path: "Connectors/ERP/Samples")
            let files = [
                "comptes.csv", "factures/facture-simple.xml", "factures/facture-total-faux.xml",
                "factures/facture-client-inconnu.xml",
            ]
            let paths = files.map { samples.appending(path: $0).path }
            _ = try await RelaisCommand.run(["import"] + paths + ["--data", data])
            let inbox = folder.appending(path: "inbox")
            try FileManager.default.createDirectory(at: inbox, withIntermediateDirectories: true)
            let flow = """
                flow: erp-clients-du-lundi
                connector: erp
                settings: {from: \(inbox.path), pattern: "*.csv"}
                mapping: accounts-csv
                schedule: {cron: "15 6 * * mon-fri", zone: Europe/Paris}
                """
            try Data(flow.utf8).write(to: folder.appending(path: "flow.yaml"))
            let applied = try await RelaisCommand.run(
                ["flows", "apply", folder.appending(path: "flow.yaml").path, "--data", data])
            try #require(applied.status == 0, "\(applied.errors)")
            for (login, name, rights) in [
                ("ines", "Inès Vauquelin", ["--role", "it", "--admin", "--sees-clients"]),
                ("hugo", "Hugo Tessandier", ["--role", "rep"]),
            ] {
                let result = try await RelaisCommand.run(
                    ["users", "add", login, "--name", name, "--password-stdin", "--data", data] + rights,
                    input: Self.password)
                try #require(result.status == 0, "\(result.errors)")
            }
            let daemon = try Daemon(data, folder)
            do {
                try await body(try await daemon.address())
            } catch {
                // A daemon that is left keeps its data folder busy for ever.
                _ = try await daemon.stop()
                throw error
            }
            #expect(try await daemon.stop() == 0)
        }
    }

    private func signIn(_ browser: Browser, _ address: String, as login: String) async throws {
        try await browser.open(address + "/sign-in")
        try await browser.type(login, into: "#login")
        try await browser.type(Self.password, into: "#password")
        try await browser.click("button[type=submit]")
        try await browser.wait(for: "main#content .page-head")
    }

    private static let pages = [
        "/overview", "/runs", "/runs/1", "/quarantine", "/accounts", "/accounts/1", "/accounts/1/edit",
        "/accounts/new",
        "/search?q=a", "/imports/new", "/matches", "/flows", "/flows/erp-clients-du-lundi",
        "/flows/erp-clients-du-lundi/edit", "/schedules", "/sources", "/settings", "/secrets", "/users",
        "/audit", "/me",
    ]

    @Test(arguments: [(1280, Browser.Theme.light), (390, .dark), (320, .light)])
    func `every page holds at every width and in both themes, with no fault that axe finds`(
        _ width: Int, _ theme: Browser.Theme
    ) async throws {
        try await withConsole { address in
            try await Browser.withBrowser(width: width, theme: theme) { browser in
                try await browser.open(address + "/sign-in")
                #expect(try await axeViolations(in: browser) == [])
                try await signIn(browser, address, as: "ines")
                for page in Self.pages {
                    try await browser.open(address + page)
                    #expect(try await !browser.scrollsSideways, "\(page)")
                    #expect(try await browser.layoutShift < 0.001, "\(page)")
                    let weight = try await browser.weight
                    #expect(weight.requests <= 10 && weight.bytes <= 100_000, "\(page): \(weight)")
                    if width != 320 {
                        let violations = try await axeViolations(in: browser)
                        #expect(violations == [], "\(page)")
                    }
                    let errors = try await browser.consoleErrors()
                    #expect(errors == [], "\(page)")
                }
            }
        }
    }

    @Test func `a group is mended and replayed in three clicks, and the message undoes it`() async throws {
        try await withConsole { address in
            try await Browser.withBrowser { browser in
                try await signIn(browser, address, as: "ines")
                try await browser.click("a[href='/quarantine']")
                try await browser.wait(for: "details.group[open]")
                let before = try await browser.texts(of: ".group .big")
                #expect(before == ["1", "1"])
                try await browser.type("1800", into: "details[open] input[name='now.0']")
                try await browser.click("details[open] button.primary")
                try await browser.wait(for: ".toast")
                #expect(try await browser.text(of: ".toast").contains("1 ligne rejouée"))
                #expect(try await browser.texts(of: ".group .big") == ["1"])
                try await browser.press("z")
                try await browser.wait(untilURLContains: "/runs/3")
                #expect(try await browser.text(of: ".toast").contains("annulée"))
                try await browser.open(address + "/quarantine")
                #expect(try await browser.texts(of: ".group .big") == ["1", "1"])
            }
        }
    }

    @Test func `a bad file is previewed, imported, mended and undone in the browser`() async throws {
        try await withConsole { address in
            try await Browser.withBrowser { browser in
                try await signIn(browser, address, as: "ines")
                let file = FileManager.default.temporaryDirectory.appending(
                    path: "clients-\(UUID().uuidString).csv")
                defer { try? FileManager.default.removeItem(at: file) }
                let rows =
                    [
                        "NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;MontantHT;MontantTVA;MontantTTC;Devise;Statut",
                        "F-1;02/11/2026;02/12/2026;N9;Scierie Neuve;404833048;;100,00;20,00;120,00;EUR;",
                        "F-2;31/02/2026;02/12/2026;N9;Scierie Neuve;404833048;;200,00;40,00;240,00;EUR;",
                        "F-3;03/11/2026;02/12/2026;N8;<script>alert(1)</script>;303265045;;1,00;0,20;1,20;EUR;",
                    ]
                    + (4...12).map {
                        "F-\($0);03/11/2026;02/12/2026;N9;Scierie Neuve;404833048;;1,00;0,20;1,20;EUR;"
                    }
                try Data((rows.joined(separator: "\n") + "\n").utf8).write(to: file)
                try await browser.open(address + "/imports/new")
                #expect(try await axeViolations(in: browser) == [])
                try await browser.upload(file.path, into: "#file")
                try await browser.click("main button.primary")
                try await browser.wait(for: ".ledger")
                #expect(try await axeViolations(in: browser) == [])
                #expect(try await browser.texts(of: ".ledger dd") == ["12", "11", "0", "0", "1", "0"])
                try await browser.click("th[scope=row] a[data-row]")
                try await browser.wait(for: "tr.detail")
                #expect(try await browser.text(of: "tr.detail").contains("120,00"))
                #expect(try await axeViolations(in: browser) == [])
                try await browser.click("main .actions button.primary")
                try await browser.wait(untilURLContains: "/runs/")
                // Followed live until its end is known.
                try await browser.wait(for: ".badge.part")
                #expect(try await browser.texts(of: ".ledger dd") == ["12", "11", "0", "0", "1", "0"])
                let run = try await browser.url
                try await browser.click("table a[data-row]")
                try await browser.wait(for: "details.group[open]")
                try await browser.type("28/02/2026", into: "details[open] input[name='now.0']")
                try await browser.click("details[open] button.primary")
                try await browser.wait(for: ".toast")
                #expect(try await browser.text(of: ".toast").contains("insérée"))
                try await browser.open(address + "/search?q=%3Cscript")
                #expect(try await browser.text(of: "main a[data-row]") == "<script>alert(1)</script>")
                try await browser.open(address + "/search?q=Scierie")
                try await browser.click("main a[data-row]")
                try await browser.wait(for: ".facts")
                try await browser.click(".said")
                #expect(try await browser.text(of: "details[open] .claims").contains("ligne 2"))
                try await browser.open(run)
                try await browser.click(".btn.danger")
                try await browser.wait(for: ".toast")
                #expect(try await browser.text(of: ".toast").contains("annulée"))
                // What the replay wrote since refers to the one account; nothing refers to the other.
                try await browser.open(address + "/search?q=%3Cscript")
                #expect(try await !browser.exists("main a[data-row]"))
                try await browser.open(address + "/search?q=Scierie")
                #expect(try await browser.exists("main a[data-row]"))
                #expect(try await browser.consoleErrors() == [])
            }
        }
    }

    @Test func `an account is opened from the palette, changed by hand, and says who says what`() async throws
    {
        try await withConsole { address in
            try await Browser.withBrowser { browser in
                try await signIn(browser, address, as: "ines")
                try await browser.press("ctrl+k")
                try await browser.type("epicerie", into: "#palette input")
                try await browser.wait(for: "#found [role=option]")
                try await browser.press("Enter")
                try await browser.wait(untilURLContains: "/accounts/1")
                #expect(try await browser.text(of: "h1").hasPrefix("Épicerie fine"))
                try await browser.press("e")
                try await browser.wait(for: "#f-city")
                try await browser.type("Quimper", into: "#f-city")
                try await browser.click("main button.primary")
                try await browser.wait(for: ".toast")
                let facts = try await browser.text(of: ".facts")
                #expect(facts.contains("Quimper") && facts.contains("saisi à la main"))
                try await browser.click(".said.human")
                let claims = try await browser.text(of: "details[open] .claims")
                #expect(claims.contains("Inès Vauquelin") && claims.contains("comptes.csv"))
                try await browser.press("z")
                try await browser.wait(for: ".toast")
                #expect(try await !browser.text(of: ".facts").contains("Quimper"))
                try await browser.type("Appel du matin", into: "#subject")
                try await browser.click("#note button")
                try await browser.wait(for: ".line-of")
                #expect(try await browser.text(of: ".line-of").contains("Appel du matin"))
            }
        }
    }

    @Test func `a rep sees neither accounts that are not his nor the console`() async throws {
        try await withConsole { address in
            try await Browser.withBrowser { browser in
                try await signIn(browser, address, as: "hugo")
                #expect(try await browser.url.hasSuffix("/accounts"))
                #expect(try await browser.text(of: ".empty").hasPrefix("Aucun client"))
                let links = try await browser.texts(of: "nav.side a")
                #expect(!links.contains("Quarantaine") && !links.contains("Utilisateurs"))
                for page in ["/accounts/1", "/accounts/1/edit", "/accounts/99999"] {
                    try await browser.open(address + page)
                    #expect(try await browser.text(of: "main").contains("HTTP-NOT-FOUND"), "\(page)")
                }
                for page in ["/overview", "/runs", "/runs/1", "/quarantine", "/users", "/audit"] {
                    try await browser.open(address + page)
                    #expect(try await browser.text(of: "main").contains("HTTP-FORBIDDEN"), "\(page)")
                }
                try await browser.open(address + "/search?q=epicerie")
                #expect(try await !browser.text(of: "main").contains("Épicerie"))
            }
        }
    }
}
