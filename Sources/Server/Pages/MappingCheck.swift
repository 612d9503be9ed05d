// SPDX-License-Identifier: Apache-2.0
// What a mapping's text is worth: its faults with their places, or its fields on one record.

internal import Diagnostics
internal import Foundation
internal import Hub
internal import Mapping
internal import Model
internal import Words

/// A check of a text as its template sees it.
struct MappingCheckView: Sendable {
    /// A fault or a remark.
    struct Finding: Sendable {
        let place: String
        let isError: Bool
        let code: String
        let message: String
        let hint: String?
    }

    /// A field with its rule and what came of it.
    struct Field: Sendable {
        /// Pieces between which a line may break, as of the origin.
        let name: [String]
        let label: String?
        let origin: [String]
        let steps: String?
        let before: String?
        /// What it became, unless it is taken as it is.
        let after: String?
        let isSame: Bool
        let fault: String?

        init(_ line: (name: String, expression: String)) {
            (name, origin) = (Self.pieces(line.name), Self.pieces(line.expression))
            (label, steps, before, after, isSame, fault) = (nil, nil, nil, nil, false, nil)
        }

        init(_ tried: TriedField, _ saying: Saying) {
            let words = saying.words
            let result = tried.after.map(saying.value)
            name = Self.pieces(tried.rule.field)
            label = words.known("page.field.\(tried.rule.field)")
            origin = Self.pieces(tried.origin ?? tried.rule.origins.joined(separator: ", "))
            steps = tried.rule.steps.isEmpty ? nil : tried.rule.steps.joined(separator: " → ")
            before = tried.before
            fault = tried.findings.first.map { words.sentence($0) }
            isSame = result != nil && result == tried.before && fault == nil
            after = isSame ? nil : result
        }

        /// A name or path, cut behind its marks and before the humps of its words.
        static func pieces(_ text: String) -> [String] {
            var pieces = [""]
            var last: Character = " "
            for character in text {
                if "/._[=".contains(last) || (last.isLowercase && character.isUppercase) { pieces.append("") }
                pieces[pieces.count - 1].append(character)
                last = character
            }
            return pieces
        }
    }

    let verdict: BadgeView
    let findings: [Finding]
    let hasFindings: Bool
    let fields: [Field]
    let hasFields: Bool
    let lines: [Field]
    let hasLines: Bool
    /// The record that the fields were read from, or why there is none.
    let sample: String
    let sampleFault: Problem?
    let tests: [Test]
    let hasTests: Bool

    /// An example and whether it is read as before.
    struct Test: Sendable {
        let name: String
        let badge: BadgeView
        let differences: [String]
    }
}

extension MappingCheckView.Finding {
    init(_ fault: Diagnostic, _ words: Words) {
        place = [fault.place.line, fault.place.column].compactMap { $0.map(String.init) }
            .joined(separator: ":")
        isError = fault.severity == .error
        code = fault.code
        let text = words.message(fault)
        let value = fault.place.value.map { text.contains("« \($0) »") ? "" : " « \($0) »" } ?? ""
        message = text + value
        hint = words.hint(fault)
    }
}

/// A text that was checked.
struct MappingCheck: Sendable {
    let mapping: MappingFile?
    let faults: [Diagnostic]
    let trial: MappingTrial?
    let sample: MappingSample?
    private(set) var tests: [MappingCheckView.Test] = []

    /// Whether it could be saved.
    var isRight: Bool { mapping != nil }

    /// Checks the text of a mapping.
    init(_ text: String, named name: String, on sample: MappingSample?) {
        self.sample = sample
        do throws(MappingFaults) {
            let file = try MappingFile.parse(text, file: name + ".yaml")
            guard file.name == name else {
                throw MappingFaults(faults: [
                    MappingError(.saveName, ["name": name, "found": file.name]).diagnostic
                ])
            }
            mapping = file
            faults = file.warnings
            if case .reading(let definition) = file {
                trial = MappingTrial(definition, on: sample)
            } else {
                trial = nil
            }
        } catch {
            (mapping, faults, trial) = (nil, error.faults, nil)
        }
    }

    /// Reads the examples of the mapping with the text.
    ///
    /// - Parameter isShown: whether the values of an example may be seen.
    mutating func runExamples(
        _ shelf: MappingShelf, _ words: Words, isShown: (String) -> Bool
    ) throws {
        guard let mapping, case .reading(let definition) = mapping else { return }
        let chooser = MappingChooser(try shelf.library(), named: definition)
        for file in try MappingExamples(shelf).files(of: mapping).prefix(Self.mostTests) {
            let name = file.lastPathComponent
            do {
                let found = try MappingExamples.test(file, chooser).differences
                let shown = isShown(name) ? found.prefix(Self.mostDifferences) : []
                tests.append(
                    MappingCheckView.Test(
                        name: name,
                        badge: found.isEmpty
                            ? BadgeView("ok", words("page.mapping.testSame"))
                            : BadgeView("bad", words("page.mapping.testDiffers", count: found.count)),
                        differences: shown.map { "\($0.path): \($0.old) → \($0.new)" }))
            } catch let error as any ReportableError {
                tests.append(
                    MappingCheckView.Test(
                        name: name, badge: BadgeView("bad", words("page.mapping.testFails")),
                        differences: isShown(name) ? [words.sentence(error.diagnostic)] : []))
            }
        }
    }

    /// Bounds of what one check reads and shows.
    private static let mostTests = 20
    private static let mostDifferences = 5

    func view(_ saying: Saying) -> MappingCheckView {
        let words = saying.words
        let errors = faults.count { $0.severity == .error }
        var lines: [MappingCheckView.Field] = []
        if case .writing(let export)? = mapping {
            lines = export.lines.map { MappingCheckView.Field($0) }
        }
        let item = trial?.item
        let place = item?.record.origin.line.map { saying.number($0) }
        return MappingCheckView(
            verdict: isRight
                ? BadgeView("ok", words("page.mapping.right"))
                : BadgeView("bad", words("page.mapping.faults", count: errors)),
            findings: faults.map { MappingCheckView.Finding($0, words) }, hasFindings: !faults.isEmpty,
            fields: (trial?.fields ?? []).map { MappingCheckView.Field($0, saying) }, hasFields: trial != nil,
            lines: lines, hasLines: !lines.isEmpty,
            sample: sample.map { sample in
                item == nil
                    ? words("page.mapping.noRecord", ["file": sample.name])
                    : words("page.mapping.sampleLine", ["file": sample.name, "line": place ?? "?"])
            } ?? words("page.mapping.noSample"),
            sampleFault: trial?.fault.map { Problem($0, words) }, tests: tests, hasTests: !tests.isEmpty)
    }
}
