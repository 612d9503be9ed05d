// SPDX-License-Identifier: Apache-2.0
// The sites of an account over HTTP: what is wrong is told, what another wrote is not lost, and all of it is undone.

import Foundation
import RelaisTesting
import Testing

@Suite(.serialized) struct SitePagesTests {
    @Test func `a site is added, changed and taken back, and faults and conflicts are told`() async throws {
        try await ConsoleSite.with { data, folder in
            let file = folder.appending(path: "clients.csv")
            let text = """
                id,name,siren,siret,tva,street,postcode,city,phone
                C1,Alpha,404833048,40483304800022,,4 rue du Port,29200,Brest,

                """
            try Data(text.utf8).write(to: file)
            let result = try await RelaisCommand.run(["import", file.path, "--data", data])
            try #require(result.status == 0, "\(result.errors)")
        } body: { site in
            let ines = try await site.signIn("ines")
            let empty = try await ines.post("/accounts/1/sites", ["postal_code": "35000"])
            #expect(empty.status == 422 && empty.text.contains("Écrivez un nom, un SIRET"))
            let wrong = try await ines.post(
                "/accounts/1/sites", ["name": "Dépôt", "phone": "12", "siret": "40483304800021"])
            #expect(wrong.status == 422 && wrong.text.contains("value=\"Dépôt\""), "what was typed stays")
            #expect(wrong.text.contains("de 6 à 15 chiffres") && wrong.text.contains("clé de contrôle"))
            let taken = try await ines.post("/accounts/1/sites", ["siret": "404 833 048 00022"])
            #expect(taken.status == 422 && taken.text.contains("déjà celui d’un autre établissement"))
            let added = try await ines.post(
                "/accounts/1/sites", ["name": "Dépôt", "phone": "02 98 00 00 01", "city": "Brest"])
            #expect(added.status == 303 && added.fields["location"] == "/accounts/1")
            let page = try await ines.get("/accounts/1")
            #expect(page.text.contains("tel:+33298000001") && page.text.contains(">Dépôt</a>"))
            let link = try #require(page.text.firstMatch(of: #/href="(\/accounts\/1\/sites\/\d+)">Dépôt/#))
            let path = String(link.output.1)
            let form = try await ines.get(path)
            #expect(form.text.contains(#/value="02.98.00.00.01"/#))
            let was = ["was.name": "Dépôt", "was.phone": "+33298000001", "was.city": "Brest"]
            let kept = ["name": "Dépôt", "phone": "02 98 00 00 01"]
            let same = was.merging(kept) { $1 }
            let moved = try await ines.post(path, same.merging(["city": "Crozon"]) { $1 })
            #expect(moved.status == 303)
            let late = try await ines.post(path, same.merging(["city": "Quimper"]) { $1 })
            #expect(
                late.status == 409
                    && late.text.contains("«\u{A0}Quimper\u{A0}», l’autre «\u{A0}Crozon\u{A0}»"))
            #expect(try await ines.get("/accounts/1").text.contains("Crozon"))
            // What the message offers, as the browser keeps it for one page.
            let cookie = try #require(moved.fields["set-cookie"]?.firstMatch(of: #/relais_told=([^;]+)/#))
            let padded = String(cookie.output.1).padding(
                toLength: (cookie.output.1.count + 3) / 4 * 4, withPad: "=", startingAt: 0)
            let told = String(decoding: try #require(Data(base64Encoded: padded)), as: UTF8.self)
            let undo = try #require(
                told.replacing("\\/", with: "/").firstMatch(of: #/\/accounts\/1\/undo\/\d+/#))
            #expect(try await ines.post(String(undo.output)).status == 303)
            #expect(try await !ines.get("/accounts/1").text.contains("Crozon"))
            #expect(try await ines.get("/accounts/1/sites/99999").status == 404)
            let hugo = try await site.signIn("hugo")
            #expect(try await hugo.get(path).status == 404)
            #expect(try await hugo.post(path, same).status == 404)
            #expect(try await hugo.post("/accounts/1/sites", ["city": "x"]).status == 404)
        }
    }
}
