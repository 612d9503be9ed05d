// SPDX-License-Identifier: Apache-2.0
// The agenda's pages over HTTP: planned, moved, taken back, and nobody else's.

import Foundation
import RelaisTesting
import Testing

@Suite struct AgendaPageTests {
    private func etag(_ text: String) throws -> String {
        String(try #require(text.firstMatch(of: #/data-etag="([0-9a-f]+)"/#)).output.1)
    }

    @Test func `something is planned, moved and taken back, and is nobody else's`() async throws {
        try await ConsoleSite.with { site in
            let hugo = try await site.signIn("hugo")
            let ines = try await site.signIn("ines")
            let empty = try await hugo.get("/agenda/2026-W48")
            #expect(empty.status == 200 && empty.text.contains("Rien de prévu"))
            let wrong = try await hugo.post(
                "/agenda/items", ["title": "", "day": "2026-11-25", "start": "10:00", "end": "09:00"])
            #expect(wrong.status == 422 && wrong.text.contains("Donnez un objet"))
            let planned = try await hugo.post(
                "/agenda/items",
                [
                    "title": "Visite <b>", "day": "2026-11-25", "start": "09:15", "end": "10:45",
                    "location": "Privas",
                ])
            #expect(planned.status == 303 && planned.fields["location"] == "/agenda/2026-W48")
            let week = try await hugo.get("/agenda/2026-W48")
            #expect(week.text.contains("Visite &lt;b&gt;") && week.text.contains("h9 from8 q1 d6"))
            #expect(week.text.contains("<time>09:15</time>") && week.text.contains("Privas"))
            #expect(!(try await ines.get("/agenda/2026-W48")).text.contains("Visite"))
            let url = String(try #require(week.text.firstMatch(of: #/data-move="([^"]+)\/move"/#)).output.1)
            #expect(try await ines.get(url).status == 404)
            #expect(try await ines.post(url + "/delete", ["etag": try etag(week.text)]).status == 404)
            let moved = try await hugo.post(
                url + "/move", ["etag": try etag(week.text), "start": "2026-11-30T14:00"])
            #expect(moved.status == 303 && moved.fields["location"] == "/agenda/2026-W49")
            let next = try await hugo.get("/agenda/2026-11-30")
            #expect(next.text.contains("h14 from8 d6") && next.text.contains("– 15:30"))
            let late = try await hugo.post(
                url + "/move", ["etag": try etag(week.text), "start": "2026-11-24T14:00"])
            #expect(late.status == 303)
            #expect(try await hugo.get("/agenda/2026-11").text.contains("Visite"))
            #expect(try await hugo.post(url + "/undo/1").status == 303)
            #expect(try await hugo.get("/agenda/2026-W48").text.contains("h9 from8 q1 d6"))
            #expect(try await hugo.post(url + "/undo/0").status == 303)
            #expect(try await hugo.get("/agenda/2026-W48").text.contains("Rien de prévu"))
            for path in ["/agenda/2026-W60", "/agenda/x", "/agenda/items/999"] {
                #expect(try await hugo.get(path).status == 404)
            }
        }
    }

    @Test func `a form that is saved as it was shown changes nothing that a device wrote`() async throws {
        try await ConsoleSite.with { site in
            let hugo = try await site.signIn("hugo")
            let long = String(repeating: "Un texte assez long. ", count: 300) + "\nFin"
            let title = String(repeating: "Titre ", count: 60) + "fin"
            let first = [
                "title": title, "day": "2999-11-26", "start": "09:00", "end": "10:00", "details": long,
                "location": "Rue du Port",
            ]
            _ = try await hugo.post("/agenda/items", first)
            let week = try await hugo.get("/agenda/2999-W48")
            let url = String(try #require(week.text.firstMatch(of: #/data-move="([^"]+)\/move"/#)).output.1)
            let page = try await hugo.get(url)
            #expect(page.text.contains("\nFin") && page.text.contains(title))
            let again = first.merging(
                ["etag": try etag(week.text), "details": long.replacing("\n", with: "\r\n")]) { $1 }
            #expect(try await hugo.post(url, again).status == 303)
            #expect(try etag(try await hugo.get("/agenda/2999-W48").text) == etag(week.text))
            let changed = again.merging(["location": "Rue du Quai"]) { $1 }
            #expect(try await hugo.post(url, changed).status == 303)
            let after = try await hugo.get(url)
            #expect(after.text.contains("Rue du Quai") && after.text.contains("\nFin"))
            #expect(after.text.contains(title))
        }
    }
}
