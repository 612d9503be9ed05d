// SPDX-License-Identifier: Apache-2.0
// One place of a mapping's text is changed, and nothing else; or nothing is.

import Diagnostics
import Mapping
import Testing

@Suite struct MappingTextTests {
    private func mapping(_ fields: String, _ version: String = "version: 7 # comme convenu") -> String {
        """
        # Factures de la maison é😀
        mapping: essai
        \(version)
        target: invoice
        source: {kind: csv}
        defs:
          once: {kind: {col: k, enum: {i: invoice}, else: error}}
          twice: {kind: {col: k, enum: {i: invoice}, else: error}}
        fields:
        \(fields)
          a: {use: once}
          b: {use: twice}
          c: {use: twice}

        """
    }

    private func added(_ old: String, _ new: String, to field: String = "kind", _ fields: String) throws
        -> String
    {
        var text = MappingText(mapping(fields))
        try text.addWord(old, becoming: new, to: field)
        return text.text
    }

    @Test(arguments: [
        (
            "  kind: {col: T, clean: [fold], enum: {fac: invoice, av: credit_note}, else: error}  # type",
            "  kind: {col: T, clean: [fold], enum: {fac: invoice, av: credit_note, \"note d'avoir\": credit_note}, else: error}  # type"
        ),
        (
            "  kind: {col: T, enum: {}, else: error}",
            "  kind: {col: T, enum: {\"note d'avoir\": credit_note}, else: error}"
        ),
        (
            "  kind:\n    col: T\n    enum:\n      fac: invoice   # é😀\n      'av': \"credit_note\"   # note\n    # puis\n    else: error",
            "  kind:\n    col: T\n    enum:\n      fac: invoice   # é😀\n      'av': \"credit_note\"   # note\n      \"note d'avoir\": credit_note\n    # puis\n    else: error"
        ),
        (
            "  kind: {first: [{col: \"é😀\", enum: {x: invoice}, else: \"null\"}, {col: T, enum: {fac: invoice}, else: error}]}",
            "  kind: {first: [{col: \"é😀\", enum: {x: invoice}, else: \"null\"}, {col: T, enum: {fac: invoice, \"note d'avoir\": credit_note}, else: error}]}"
        ),
        (
            "  kind:\n    enum: {fac: invoice,\n           av: credit_note}  # deux\n    col: T\n    else: error",
            "  kind:\n    enum: {fac: invoice,\n           av: credit_note, \"note d'avoir\": credit_note}  # deux\n    col: T\n    else: error"
        ),
    ])
    func `a word goes to its list, and comments, order and layout stay`(_ fields: String, _ expected: String)
        throws
    {
        #expect(try added("note d'avoir", "credit_note", fields) == mapping(expected))
    }

    @Test func `a list of a child row and of a block that one field uses are found`() throws {
        let rows = "  lines: {each: [x], fields: {unit: {col: u, enum: {h: HUR}, else: error}}}"
        let text = try added("j", "DAY", to: "lines[3].unit", rows)
        #expect(text == mapping(rows.replacing("h: HUR", with: "h: HUR, j: DAY")))
        let block = try added("f", "invoice", to: "a.kind", "  x: {col: y}")
        #expect(
            block
                == mapping("  x: {col: y}").replacing(
                    "once: {kind: {col: k, enum: {i: invoice",
                    with: "once: {kind: {col: k, enum: {i: invoice, f: invoice"))
    }

    @Test func `words that YAML would take for something else are written so that they stay words`() throws {
        for word in [
            "a: b", "#x", "\"", "\\", "x\ty", "null", "12", "}", "é, è", "'", "-", "\u{2028}", "{{<script>",
        ] {
            let text = try added(word, "invoice", "  kind: {col: T, enum: {fac: invoice}, else: error}")
            #expect(throws: MappingError.self, "\(word)") {
                var again = MappingText(text)
                try again.addWord(word, becoming: "credit_note", to: "kind")
            }
        }
    }

    @Test(arguments: [
        ("kind", "  kind: {col: T}", "MAP-EDIT-NO-LIST"),
        ("kind", "  kind: {col: T, enum: {a: invoice}, else: invoice}", "MAP-EDIT-NO-LIST"),
        ("rien", "  kind: {col: T}", "MAP-EDIT-NO-LIST"),
        ("b.kind", "  kind: {col: T}", "MAP-EDIT-NO-LIST"),
        (
            "kind",
            "  kind: {first: [{col: A, enum: {a: invoice}, else: error}, {col: B, enum: {b: invoice}, else: error}]}",
            "MAP-EDIT-NO-LIST"
        ),
        ("kind", "  kind: {col: T, enum: {mot: invoice}, else: error}", "MAP-EDIT-KNOWN"),
        ("kind", "  kind: {col: T, enum: {a: |-\n    invoice\n  }, else: error}", "YAML-SYNTAX"),
        (
            "kind", "  kind:\n    col: T\n    enum:\n      a: |-\n        invoice\n    else: error",
            "MAP-EDIT-LAYOUT"
        ),
        ("kind", "  kind: {col: T, enum: {a: \"inv\n    oice\"}, else: error}", "MAP-EDIT-LAYOUT"),
    ])
    func `what cannot be changed for certain is left alone`(_ field: String, _ fields: String, _ code: String)
    {
        var text = MappingText(mapping(fields))
        do {
            try text.addWord("mot", becoming: "invoice", to: field)
            Issue.record("\(text.text)")
        } catch let error as any ReportableError {
            #expect(error.diagnostic.code == code)
            #expect(text.text == mapping(fields))
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func `a version is replaced where it stands`() throws {
        for (old, new) in [
            ("version: 7 # comme convenu", "version: 12 # comme convenu"), ("version: \"7\"", "version: 12"),
            ("version:   7", "version:   12"),
        ] {
            var text = MappingText(mapping("  x: {col: y}", old).replacing("\n", with: "\r\n"))
            try text.setVersion(12)
            #expect(text.text == mapping("  x: {col: y}", new))
        }
        var none = MappingText(mapping("  x: {col: y}", "# rien"))
        #expect(throws: MappingError.self) { try none.setVersion(12) }
    }
}
