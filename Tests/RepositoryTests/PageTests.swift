// SPDX-License-Identifier: Apache-2.0
// What pages are made of: texts from the catalogue, classes of the one style sheet, colours that can be read.

import Foundation
import RelaisTesting
import Testing
import Words

@Suite struct PageTests {
    private func files(_ ending: String) throws -> [(name: String, text: String)] {
        try Repository.files(["Sources/Server"], endings: [ending]).map {
            ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8))
        }
    }

    private func style() throws -> String {
        try #require(try files("css").first).text
    }

    @Test func `every text of a page is in the catalogue`() throws {
        let keys = try Words(.french).keys
        for (name, text) in try files("mustache") {
            for match in text.matches(of: #/\{\{t\.([A-Za-z0-9_.]+)\}\}/#) {
                #expect(keys.contains("page." + match.output.1), "\(name): page.\(match.output.1)")
            }
        }
        for (name, text) in try files("swift") {
            for match in text.matches(of: #/words\(\s*"([a-z][A-Za-z0-9_.\-]*)"(, count:)?/#) {
                let key = String(match.output.1)
                #expect(keys.contains(match.output.2 == nil ? key : key + ".one"), "\(name): \(key)")
            }
        }
    }

    @Test func `no line of a French page breaks before a mark`() throws {
        let words = try Words(.french)
        for key in words.keys where key.hasPrefix("page.") || key.hasPrefix("moment.") {
            let text = words.known(key) ?? ""
            #expect(!text.contains(#/ [:;!?€%»]|« | · /#), "\(key): \(text)")
        }
    }

    @Test func `templates escape everything, and hold neither styles nor scripts`() throws {
        for (name, text) in try files("mustache") {
            #expect(!text.contains("{{{") && !text.contains("{{&"), "\(name)")
            #expect(!text.contains("style="), "\(name)")
            #expect(!text.contains(#/\son[a-z]+=/#), "\(name)")
            #expect(!text.contains(#/<script(?! type="module" src=)/#), "\(name)")
            // An attribute without quotes could be left by a blank.
            #expect(!text.contains(#/=\{\{(?!\/)/#), "\(name)")
        }
    }

    @Test func `templates use classes that the style sheet has`() throws {
        let style = try style()
        let known = Set(style.matches(of: #/\.([a-z][a-z0-9-]*)/#).map { String($0.output.1) })
        for (name, text) in try files("mustache") {
            for match in text.matches(of: #/class="([^"]*)"/#) {
                let plain = match.output.1.replacing(#/\{\{[^}]*\}\}/#, with: " ")
                for word in plain.split(separator: " ") where !word.hasSuffix("-") {
                    let isKnown = known.contains(String(word))
                    #expect(isKnown, "\(name): \(word)")
                }
            }
        }
        #expect(style.split(separator: "\n", omittingEmptySubsequences: false).count <= 700)
    }

    @Test func `the help names every key that a page answers to`() throws {
        let texts = try files("mustache")
        let help = try #require(texts.first { $0.name.hasSuffix("dialogs.mustache") }).text
        for (name, text) in texts {
            for match in text.matches(of: #/data-key="([^"]*)"/#) {
                #expect(help.contains("<kbd>\(match.output.1)</kbd>"), "\(name): \(match.output.1)")
            }
        }
    }

    @Test func `modules are small and know no other site`() throws {
        for (name, text) in try files("js") {
            #expect(text.split(separator: "\n").count <= 150, "\(name)")
            #expect(!text.contains("http"), "\(name)")
        }
    }

    // MARK: - Contrast

    /// - Source: WCAG 2.2, relative luminance and contrast ratio.
    private func luminance(_ hex: Substring) -> Double {
        let digits = hex.count == 3 ? hex.flatMap { [$0, $0] } : Array(hex)
        let parts = stride(from: 0, to: 6, by: 2).map { index -> Double in
            let value = Double(Int(String(digits[index...index + 1]), radix: 16) ?? 0) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }

    private func contrast(_ one: Double, _ other: Double) -> Double {
        (max(one, other) + 0.05) / (min(one, other) + 0.05)
    }

    @Test func `every colour of text and of marks can be told from its ground, in both themes`() throws {
        var colours: [String: [Double]] = [:]
        let pattern = #/--([a-z0-9-]+):\s*light-dark\(#([0-9a-f]{3,6}), #([0-9a-f]{3,6})\)/#
        for match in try style().matches(of: pattern) {
            colours[String(match.output.1)] = [luminance(match.output.2), luminance(match.output.3)]
        }
        func check(_ text: String, _ grounds: [String], atLeast floor: Double) throws {
            let front = try #require(colours[text], "\(text)")
            for ground in grounds {
                let back = try #require(colours[ground], "\(ground)")
                for theme in 0...1 {
                    let ratio = contrast(front[theme], back[theme])
                    #expect(ratio >= floor, "\(text) on \(ground): \(ratio)")
                }
            }
        }
        for text in ["ink", "ink-2", "ink-3", "accent"] {
            try check(text, ["surface", "paper"], atLeast: 4.5)
        }
        for text in ["ins", "upd", "same", "warn", "bad", "skip"] {
            try check(text, ["surface", "\(text)-soft"], atLeast: 4.5)
            try check("\(text)-mark", ["surface"], atLeast: 3)
        }
        try check("on-accent", ["accent", "accent-hi"], atLeast: 4.5)
        try check("ink-3", ["sunken", "accent-soft"], atLeast: 4.5)
        try check("edge", ["surface", "paper"], atLeast: 3)
    }
}
