// SPDX-License-Identifier: Apache-2.0
// All schedules over HTTP, and pauses that end by themselves.

import Foundation
import RelaisTesting
import Testing

@Suite(.serialized) struct SchedulesPageTests {
    @Test func `a flow is paused until a day, resumed, and a day that is past is refused`() async throws {
        try await ConsoleSite.with { data, folder in
            let texts = [
                "flow: horaire\nconnector: erp\nsettings: {paths: [/dev/null]}\n"
                    + "schedule: {cron: \"0 */2 1,15 * *\", zone: Europe/London, overlap: queue}\n",
                "flow: main\nconnector: erp\nsettings: {paths: [/dev/null]}\n",
            ]
            for (number, text) in texts.enumerated() {
                let file = folder.appending(path: "\(number).yaml")
                try Data(text.utf8).write(to: file)
                let applied = try await RelaisCommand.run(["flows", "apply", file.path, "--data", data])
                try #require(applied.status == 0, "\(applied.errors)")
            }
        } body: { site in
            let ines = try await site.signIn("ines")
            let page = try await ines.get("/schedules")
            for text in [
                "Le 1er et 15 du mois", "Europe/London", "Attend la fin de la précédente",
                "1 flux n’en a pas",
                "href=\"/flows/horaire\"",
            ] { #expect(page.text.contains(text), "\(text)") }
            #expect(!page.text.contains("href=\"/flows/main\""))
            let from = ["do": "pause", "from": "schedules"]
            let past = try await ines.post("/flows/horaire", from.merging(["until": "2020-01-01"]) { $1 })
            #expect(past.status == 422 && past.text.contains("est passé"))
            let wrong = try await ines.post("/flows/horaire", from.merging(["until": "demain"]) { $1 })
            #expect(wrong.status == 422 && wrong.text.contains("n’est pas une date"))
            let paused = try await ines.post("/flows/horaire", from.merging(["until": "2199-03-01"]) { $1 })
            #expect(paused.status == 303 && paused.fields["location"] == "/schedules")
            #expect(try await ines.get("/schedules").text.contains("mars\u{A0}2199 à 00:00"))
            let controls = "select paused_until from queue_control where name = 'flow:horaire'"
            func until() async throws -> String {
                try await RelaisCommand.run(["db", "psql", "--data", site.data, "--", "-Atc", controls])
                    .output
            }
            #expect(try await until().hasPrefix("2199-02-28 23:00:00"), "midnight in Paris")
            // The scheduler ends a pause whose time has come.
            let due = "update queue_control set paused_until = now() where name = 'flow:horaire'"
            _ = try await RelaisCommand.run(["db", "psql", "--data", site.data, "--", "-c", due])
            try await RelaisTesting.until { try await ines.get("/schedules").text.contains("Suspendre") }
            let sources = try await ines.get("/sources")
            #expect(sources.status == 200 && sources.text.contains("Une saisie à la main prime"))
            #expect(
                sources.text.firstRange(of: ">person<")?.lowerBound ?? sources.text.endIndex
                    < sources.text.firstRange(of: ">erp<")?.lowerBound ?? sources.text.startIndex)
            let hugo = try await site.signIn("hugo")
            #expect(try await hugo.get("/sources").status == 403)
            #expect(try await hugo.get("/schedules").status == 403)
        }
    }
}
