// SPDX-License-Identifier: Apache-2.0
// The parts of pages that are pure: forms, links, escaping, bars.

import Foundation
import Hub
import Model
import Mustache
import Schedule
import Testing
import Words

@testable import Server

@Suite struct PageValueTests {
    private func saying(_ language: Language = .french) throws -> Saying {
        Saying(
            words: try Words(language), now: Timestamp(microsecondsSince1970: 1_795_867_200_000_000),
            zone: "Europe/Paris")
    }

    @Test func `a form is read as browsers write it`() {
        let form = Form("a=1+2&b=%C3%A9t%C3%A9&c&d=x%3Dy%26z&a=3&e=%zz%4&f=%00nul")
        #expect(form["a"] == "1 2" && form["b"] == "été" && form["c"] == "" && form["d"] == "x=y&z")
        #expect(form["e"] == "%zz%4" && form["f"] == "nul" && form["g"] == nil)
        #expect(form.text("g") == "" && form.isOn("c") && !form.isOn("g"))
        #expect(Form("now.0=x&now.1=y&was.0=z").fields("now.").map(\.value) == ["x", "y"])
        #expect(Form("a=%20%09x%20").text("a") == "x")
    }

    @Test func `a long path may break behind its marks and between its words`() {
        let pieces = MappingCheckView.Field.pieces("AccountingParty/cbc:ID[@scheme='0009']")
        #expect(pieces == ["Accounting", "Party/", "cbc:ID[", "@scheme=", "'0009']"])
        #expect(MappingCheckView.Field.pieces("seller.trade_name") == ["seller.", "trade_", "name"])
        #expect(MappingCheckView.Field.pieces("") == [""])
    }

    @Test(
        arguments: [
            ("15 6 * * mon-fri", "Du lundi au vendredi à 06:15"), ("0 * * * *", "Toutes les heures"),
            ("*/15 * * * *", "Toutes les 15 minutes"), ("* * * * *", "Chaque minute"),
            ("5,35 * * * *", "Chaque heure, aux minutes 05 et 35"),
            ("0 6,18 * * *", "Chaque jour à 06:00 et 18:00"),
            ("*/30 8-18 * * 1-5", "Du lundi au vendredi toutes les 30 minutes de 08:00 à 18:30"),
            ("0 7 1 * *", "Le 1er du mois à 07:00"), ("0 7 * * 7", "Le dimanche à 07:00"),
            ("0 7 1 1,7 *", "Le 1er du mois en janvier et juillet à 07:00"),
            ("0 0 13 * 5", "Le 13 du mois ou le vendredi, à 00:00"),
            ("0 9 * * 1,3,5", "Le lundi, mercredi et vendredi à 09:00"),
        ])
    func `a cron line is said in words`(_ line: String, _ text: String) throws {
        let texts = ScheduleTexts(words: try Words(.french))
        let times = try Schedule(try CronExpression(line), zone: "Europe/Paris")
        #expect(texts.rule(times) == text)
    }

    @Test func `a day begins when the clock of the zone says so`() throws {
        let day = try #require(CalendarDate(year: 2027, month: 3, day: 29))
        #expect(try saying().midnight(of: day).description == "2027-03-28T22:00:00Z")
        let winter = try #require(CalendarDate(year: 2027, month: 3, day: 28))
        #expect(try saying().midnight(of: winter).description == "2027-03-27T23:00:00Z")
    }

    @Test func `only a path of this site is followed`() {
        #expect(Link.local("/accounts?q=a") == "/accounts?q=a")
        for wrong in ["//evil", "https://evil", "evil", "/\\evil", "/a\nb", "", "javascript:x"] {
            #expect(Link.local(wrong) == nil, "\(wrong)")
        }
        #expect(Link.to("/runs", ["flow": "a&b", "state": nil]) == "/runs?flow=a%26b")
        #expect(Link.to("/runs", ["flow": nil]) == "/runs")
    }

    @Test(
        arguments: [
            ("<script>", "&lt;script&gt;"), ("a & b", "a &amp; b"), ("plain", "plain"),
            ("'\"", "&#39;&quot;"),
            // With a combining mark behind it a quote is another Character, and the same byte.
            ("\"\u{301} onclick=x", "&quot;\u{301} onclick=x"), ("<\u{338}b", "&lt;\u{338}b"),
        ])
    func `what a template shows is escaped byte by byte`(_ text: String, _ escaped: String) {
        #expect(Array(ByteEscaping.escape(text).utf8) == Array(escaped.utf8))
    }

    @Test func `no template shows a value unescaped, whatever the page`() throws {
        let library = try Templates.load()
        let page = SignInPage(
            title: "<b>", login: "\"\u{301}><script>alert(1)</script>", next: "'><img src=x>", openID: nil,
            problem: nil)
        let root = Root(words: WordTree(try Words(.french)), shell: nil, page: page)
        let text = try #require(library.render(root, withTemplate: SignInPage.template))
        #expect(!text.contains("<script>alert") && !text.contains("<img src=x>") && !text.contains("<b>"))
        #expect(text.contains("&quot;\u{301}&gt;&lt;script&gt;"))
    }

    private struct Sample {
        struct Part {
            let name: String
            let note: String?
        }

        let parts: [Part]
        let note: String
        let kept: Part?
        let left: Part?
        let isLate: Bool
        let count: Int?
        let link: URL?
    }

    @Test func `a page's values are seen by their names, and nothing hides what lies around it`() throws {
        let sample = Sample(
            parts: [.init(name: "a", note: nil), .init(name: "b", note: "<c>")], note: "the page's",
            kept: .init(name: "d", note: nil), left: nil, isLate: false, count: 7,
            link: URL(string: "https://relais.example/e"))
        let template = try MustacheTemplate(
            string: """
                {{#parts}}{{name}}{{#note}}({{.}}){{/note}}{{count}};{{/parts}}{{#kept}}{{name}}{{^note}}!{{/note}}{{/kept}}\
                {{^left}}none{{/left}}{{#isLate}}late{{/isLate}}{{^isLate}}in time{{/isLate}}{{count}}{{kept.name}}{{link}}{{lost}}
                """)
        let seen = try #require(Seen.value(sample))
        let text = template.render(seen)
        #expect(text == "a7;b(&lt;c&gt;)7;d!nonein time7dhttps://relais.example/e")
    }

    @Test func `a bar shows every part, however small, and nothing beyond its end`() throws {
        let saying = try saying()
        let ledger = RunLedger(
            inserted: 18_204, updated: 2_911, unchanged: 390_967, quarantined: 187, skipped: 1)
        let bar = try #require(SplitView(ledger, saying))
        #expect(bar.parts.map(\.kind) == ["ins", "upd", "same", "warn", "skip"])
        let widths = bar.parts.compactMap { Double($0.width) }
        #expect(widths.allSatisfy { $0 >= 0.4 } && widths.count == 5)
        let last = try #require(bar.parts.last)
        #expect((Double(last.x) ?? 0) + (Double(last.width) ?? 0) <= 100)
        #expect(bar.label.contains("187") && bar.label.hasPrefix("18\u{202F}204 insérées"))
        #expect(SplitView(RunLedger(), saying) == nil)
    }

    @Test func `the equation has the terms of its sum`() throws {
        let view = LedgerView(RunLedger(inserted: 1, deleted: 2), try saying(), quarantine: "/q")
        #expect(view.read == "3" && view.terms.map(\.value) == ["1", "0", "2", "0", "0", "0"])
        #expect(view.terms.allSatisfy { $0.url == nil })
    }

    @Test func `a message lives one page, and undoes nothing of another site`() throws {
        let cookie = try #require(Told(text: "Fait.", undo: "/runs/3/undo").cookie(isSecure: false))
        #expect("\(cookie)".contains("Max-Age=60") && "\(cookie)".contains("HttpOnly"))
        #expect("\(cookie)".contains("SameSite=Lax"))
    }
}
