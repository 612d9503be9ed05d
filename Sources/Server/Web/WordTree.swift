// SPDX-License-Identifier: Apache-2.0
// The message catalogue as templates see it: `{{t.run.title}}` is the text under `page.run.title`.

internal import Mustache
internal import Words

/// A branch of the catalogue's keys.
struct WordTree: MustacheParent, MustacheCustomRenderable {
    let words: Words
    let key: String

    /// The texts of pages.
    init(_ words: Words) {
        self.init(words, "page")
    }

    private init(_ words: Words, _ key: String) {
        (self.words, self.key) = (words, key)
    }

    func child(named name: String) -> Any? { WordTree(words, "\(key).\(name)") }

    var renderText: String { words(key) }
    var isNull: Bool { false }
}
