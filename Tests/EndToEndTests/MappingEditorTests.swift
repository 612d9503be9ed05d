// SPDX-License-Identifier: Apache-2.0
// The mapping editor over HTTP: checked, saved, overtaken, compared, brought back; taught from the quarantine.

import Foundation
import FoundationNetworking
import RelaisTesting
import Testing

@Suite(.serialized) struct MappingEditorTests {
    private static let password = "quatre mots bien choisis"

    /// Somebody who is signed in, without a browser.
    private struct Visitor {
        let address: String
        let session: String
        let token: String

        struct Answer {
            let status: Int
            let text: String
            let location: String?
        }

        /// Follows no redirect.
        private final class Plain: NSObject, URLSessionTaskDelegate {
            func urlSession(
                _ session: URLSession, task: URLSessionTask,
                willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
                completionHandler: @escaping @Sendable (URLRequest?) -> Void
            ) {
                completionHandler(nil)
            }
        }

        init(_ address: String, as login: String) async throws {
            let form = ["login": login, "password": MappingEditorTests.password]
            let (_, signedIn) = try await Self.send(address + "/sign-in", form, session: nil)
            let cookie = signedIn.value(forHTTPHeaderField: "Set-Cookie") ?? ""
            let session = String(cookie.prefix { $0 != ";" }.split(separator: "=").last ?? "")
            let (page, _) = try await Self.send(address + "/me", nil, session: session)
            let found = page.firstMatch(of: #/name="form" value="([^"]+)"/#)
            (self.address, self.session) = (address, session)
            token = String(try #require(found?.output.1))
        }

        func get(_ path: String) async throws -> Answer { try await answer(path, nil) }

        func post(_ path: String, _ form: [String: String]) async throws -> Answer {
            try await answer(path, form.merging(["form": token]) { $1 })
        }

        private func answer(_ path: String, _ form: [String: String]?) async throws -> Answer {
            let (text, response) = try await Self.send(address + path, form, session: session)
            return Answer(
                status: response.statusCode, text: text,
                location: response.value(forHTTPHeaderField: "Location"))
        }

        private static func send(
            _ url: String, _ form: [String: String]?, session: String?
        ) async throws -> (String, HTTPURLResponse) {
            var request = URLRequest(url: try #require(URL(string: url)))
            request.setValue("text/html", forHTTPHeaderField: "Accept")
            request.setValue("fr", forHTTPHeaderField: "Accept-Language")
            if let form {
                request.httpMethod = "POST"
                request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
                let pairs = form.map { "\(encoded($0.key))=\(encoded($0.value))" }
                request.httpBody = Data(pairs.joined(separator: "&").utf8)
            }
            if let session { request.setValue("relais_session=\(session)", forHTTPHeaderField: "Cookie") }
            let configuration = URLSessionConfiguration.ephemeral
            configuration.httpShouldSetCookies = false
            configuration.httpCookieAcceptPolicy = .never
            let client = URLSession(configuration: configuration, delegate: Plain(), delegateQueue: nil)
            defer { client.finishTasksAndInvalidate() }
            let (data, response) = try await client.data(for: request)
            return (String(decoding: data, as: UTF8.self), try #require(response as? HTTPURLResponse))
        }

        private static func encoded(_ text: String) -> String {
            text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        }
    }

    /// A page's text as it was before it was escaped.
    private func plain(_ text: String) -> String {
        text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
            .replacing("&#34;", with: "\"").replacing("&#39;", with: "'").replacing("&amp;", with: "&")
    }

    /// What the editor shows, and what it says that it began from.
    private func editor(_ page: String) throws -> (text: String, digest: String) {
        let text = try #require(page.firstMatch(of: #/(?s)<textarea[^>]*>\n(.*?)<\/textarea>/#)?.output.1)
        let digest = try #require(page.firstMatch(of: #/name="from" value="([^"]*)"/#)?.output.1)
        return (plain(String(text)), String(digest))
    }

    private static let header =
        "NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;MontantHT;MontantTVA;MontantTTC;Devise;Statut"

    /// A daemon whose quarantine holds three invoices with two unknown words.
    private func withEditor(
        _ body: (_ address: String, _ data: String) async throws -> Void
    ) async throws {
        try await withDataFolder { data, folder in
            let file = folder.appending(path: "factures.csv")
            let rows = (1...30).map { number in
                let status = number < 3 ? "Soldé" : number == 3 ? "<b>gras</b>" : "payée"
                return
                    "F-\(number);03/11/2026;02/12/2026;N9;Scierie Neuve;404833048;;1,00;0,20;1,20;EUR;\(status)"
            }
            try Data(([Self.header] + rows).joined(separator: "\n").utf8).write(to: file)
            _ = try await RelaisCommand.run(["import", file.path, "--data", data])
            for (login, name, rights) in [
                ("ines", "Inès Vauquelin", ["--role", "back_office"]),
                ("iris", "Iris <i>Baudry</i>", ["--role", "it"]),
                ("hugo", "Hugo Tessandier", ["--role", "rep"]),
            ] {
                let result = try await RelaisCommand.run(
                    ["users", "add", login, "--name", name, "--password-stdin", "--data", data] + rights,
                    input: Self.password)
                try #require(result.status == 0, "\(result.errors)")
            }
            let daemon = try Daemon(data, folder)
            do {
                try await body(try await daemon.address(), data)
            } catch {
                // A daemon that is left keeps its data folder busy for ever.
                _ = try await daemon.stop()
                throw error
            }
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test func `a text is checked, saved, overtaken, compared and brought back, and nothing of it is lost`()
        async throws
    {
        try await withEditor { address, data in
            let ines = try await Visitor(address, as: "ines")
            let list = try await ines.get("/mappings")
            #expect(
                list.status == 200 && list.text.contains("factures-csv") && list.text.contains("factures.csv")
            )
            let path = "/mappings/factures-csv"
            let opened = try await ines.get(path)
            let (text, digest) = try editor(opened.text)
            let file = data + "/mappings/factures-csv.yaml"
            // The first row of the last file, before and after.
            #expect(opened.text.contains("factures.csv, ligne 2") && opened.text.contains("<code>F-1</code>"))
            #expect(opened.text.contains("Enregistrer la version 2"))
            let faulty = text.replacing("required: true", with: "requird: <script>alert(1)</script>")
            let part = try await ines.post(path + "/check?part=1", ["text": faulty, "from": digest])
            #expect(
                part.status == 200 && !part.text.contains("<html") && !part.text.contains("<script>alert"))
            #expect(part.text.contains("MAP-KEY-UNKNOWN") && part.text.contains("required"))
            #expect(part.text.contains(#/data-line="\d+:\d+"/#))
            let whole = try await ines.post(path + "/check", ["text": faulty, "from": digest])
            #expect(whole.status == 200 && !whole.text.contains("<script>alert"))
            #expect(try editor(whole.text).text == faulty)
            let refused = try await ines.post(path, ["text": faulty, "from": digest])
            #expect(refused.status == 422 && refused.text.contains("<title>Erreur"))
            #expect(try editor(refused.text).text == faulty)
            #expect(!FileManager.default.fileExists(atPath: file))
            let mine = text.replacing("version: 1\n", with: "version: 1\n# de <script>alert(2)</script>\n")
            let saved = try await ines.post(path, ["text": mine, "from": digest])
            #expect(saved.status == 303 && saved.location == path)
            #expect(
                try String(contentsOfFile: file, encoding: .utf8)
                    == mine.replacing("version: 1\n", with: "version: 2\n"))
            let iris = try await Visitor(address, as: "iris")
            let theirs = text.replacing("version: 1\n", with: "version: 1\n# de l'informatique\n")
            let overtaken = try await iris.post(path, ["text": theirs, "from": digest])
            #expect(overtaken.status == 422 && overtaken.text.contains("Inès Vauquelin"))
            #expect(!overtaken.text.contains("<script>alert"))
            let kept = try editor(overtaken.text)
            #expect(kept.text == theirs && kept.digest != digest)
            #expect(plain(overtaken.text).contains("# de <script>alert(2)"))
            #expect(try await iris.post(path, ["text": theirs, "from": kept.digest]).status == 303)
            let page = try await iris.get(path)
            #expect(page.text.contains("version 3") && page.text.contains("Iris &lt;i&gt;Baudry"))
            let restore = try #require(page.text.firstMatch(of: #/action="([^"]+\/restore\/\d+)"/#)?.output.1)
            let compare = try #require(
                page.text.firstMatch(of: #/href="([^"]+compare=\d+)#compare"/#)?.output.1)
            #expect(try await iris.get(plain(String(compare))).status == 200)
            #expect(try await iris.post(String(restore), [:]).status == 303)
            #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("# SPDX"))
            let back = try await iris.get(path)
            #expect(back.text.contains("Enregistrer la version 5") && !back.text.contains("<script>alert"))
        }
    }

    @Test func `the editor is for those who operate, and rows of files for those who see clients`()
        async throws
    {
        try await withEditor { address, _ in
            let hugo = try await Visitor(address, as: "hugo")
            for path in ["/mappings", "/mappings/factures-csv", "/quarantine/lines?code=FIELD-NOT-IN-LIST"] {
                #expect(try await hugo.get(path).status == 403)
            }
            for path in [
                "/mappings/fec", "/mappings/fec/check", "/mappings/fec/restore/1", "/quarantine/remember",
                "/quarantine/lines",
            ] { #expect(try await hugo.post(path, [:]).status == 403) }
            let iris = try await Visitor(address, as: "iris")
            let editor = try await iris.get("/mappings/factures-csv?sample=last")
            #expect(editor.status == 200 && !editor.text.contains("Scierie"))
            #expect(
                try await iris.get("/mappings/factures-csv?sample=quarantine-1").text.contains("Scierie")
                    == false)
            #expect(try await iris.get("/quarantine/lines?code=FIELD-NOT-IN-LIST").status == 403)
            #expect(try await iris.get("/mappings/rien").status == 404)
            #expect(try await iris.get("/mappings/factures-csv?compare=99999").status == 404)
        }
    }

    @Test func `an unknown word is taught to the mapping and its rows are replayed with one form`()
        async throws
    {
        try await withEditor { address, data in
            let ines = try await Visitor(address, as: "ines")
            let page = try await ines.get("/quarantine")
            #expect(page.text.contains("Retenir dans la correspondance, version 1 → 2"))
            #expect(page.text.contains("<option value=\"paid\">"))
            let group = ["code": "FIELD-NOT-IN-LIST", "field": "billing_status", "mapping": "factures-csv"]
            let nothing = try await ines.post("/quarantine/remember", group)
            #expect(nothing.status == 422 && nothing.text.contains("Aucune valeur à retenir"))
            let wrong = try await ines.post(
                "/quarantine/remember", group.merging(["was.0": "solde", "now.0": "payd"]) { $1 })
            #expect(wrong.status == 422 && wrong.text.contains("value=\"payd\""))
            #expect(!FileManager.default.fileExists(atPath: data + "/mappings/factures-csv.yaml"))
            let taught = try await ines.post(
                "/quarantine/remember", group.merging(["was.0": "solde", "now.0": "paid"]) { $1 })
            #expect(taught.status == 303, "\(taught.text)")
            let text = try String(contentsOfFile: data + "/mappings/factures-csv.yaml", encoding: .utf8)
            #expect(text.contains("litige: disputed, solde: paid}") && text.contains("version: 2\n"))
            // One word is left; the next file has both.
            let after = try await ines.get("/quarantine")
            #expect(after.text.contains("version 2 → 3") && !after.text.contains("<b>gras</b>"))
            #expect(plain(after.text).contains("<code><b>gras</b></code>"))
            let runs = try await RelaisCommand.run(["runs", "--json", "--data", data])
            #expect(runs.output.contains("\"inserted\":2"), "\(runs.output)")
        }
    }

    @Test func `rows of a cause are listed with the cell marked, mended one by one, and tried in the editor`()
        async throws
    {
        try await withEditor { address, _ in
            let ines = try await Visitor(address, as: "ines")
            let path = "/quarantine/lines?code=FIELD-NOT-IN-LIST&field=billing_status"
            let page = try await ines.get(path)
            #expect(page.status == 200 && page.text.matches(of: #/name="id" value="\d+"/#).count == 3)
            #expect(page.text.contains("<mark>") && !page.text.contains("<b>gras</b>"))
            #expect(plain(page.text).contains("<mark><b>gras</b></mark>"))
            let ids = page.text.matches(of: #/name="id" value="(\d+)"/#).map { String($0.output.1) }
            // Lines of no cause are no page.
            #expect(try await ines.get("/quarantine/lines").location == "/quarantine")
            let row = ["id": ids[2], "code": "FIELD-NOT-IN-LIST", "field": "billing_status", "now": "perdue"]
            let wrong = try await ines.post("/quarantine/lines", row)
            #expect(wrong.status == 422 && wrong.text.contains("value=\"perdue\""))
            let mended = try await ines.post("/quarantine/lines", row.merging(["now": "paid"]) { $1 })
            #expect(mended.status == 303, "\(mended.text)")
            #expect(try await ines.get(path).text.matches(of: #/name="id" value="\d+"/#).count == 2)
            #expect(try await ines.post("/quarantine/lines", row).status == 422)
            let editor = try await ines.get("/mappings/factures-csv?sample=quarantine-\(ids[1])")
            #expect(editor.text.contains("factures.csv, ligne 3") && editor.text.contains("<code>F-2</code>"))
            #expect(editor.text.contains("Rejouer avec la version 1"))
        }
    }

    @Test func `a record kept as a test is read again at every check, and by the command`() async throws {
        try await withEditor { address, data in
            let ines = try await Visitor(address, as: "ines")
            let path = "/mappings/factures-csv"
            let (text, digest) = try editor(try await ines.get(path).text)
            #expect(try await ines.get(path).text.contains("Comme attendu"))
            let form = ["text": text, "from": digest, "sample": "last"]
            let unsaved = try await ines.post(path + "/examples", form.merging(["text": text + "# x"]) { $1 })
            #expect(unsaved.status == 422 && unsaved.text.contains("Le texte n’est pas enregistré"))
            let kept = try await ines.post(path + "/examples", form)
            #expect(kept.status == 303, "\(kept.text)")
            let tests = data + "/mappings/tests/factures-csv_cas-1"
            let sample = try String(contentsOfFile: tests + ".csv", encoding: .utf8)
            #expect(sample.hasPrefix(Self.header) && sample.contains("F-1;") && !sample.contains("F-2;"))
            #expect(try String(contentsOfFile: tests + ".json", encoding: .utf8).contains("\"F-1\""))
            let changed = text.replacing(
                "buyer.name: {col: RaisonSociale", with: "buyer.name: {col: CodeClient")
            #expect(changed != text)
            let check = try await ines.post(path + "/check?part=1", ["text": changed, "from": digest])
            #expect(check.text.contains("factures-csv_cas-1.csv") && check.text.contains("différence"))
            #expect(plain(check.text).contains("fields.buyer.name: \"Scierie Neuve\" → \"N9\""))
            let iris = try await Visitor(address, as: "iris")
            let hidden = try await iris.post(path + "/check?part=1", ["text": changed, "from": digest])
            #expect(hidden.text.contains("factures-csv_cas-1.csv") && !hidden.text.contains("Scierie"))
            #expect(try await ines.post(path, ["text": changed, "from": digest]).status == 303)
            let environment = ["RELAIS_DATA": data]
            let failed = try await RelaisCommand.run(
                ["mapping", "test", "factures-csv"], environment: environment)
            #expect(
                failed.status == 1 && failed.output.contains("factures-csv_cas-1.csv[1].fields.buyer.name"))
        }
    }
}
