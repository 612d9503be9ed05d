// SPDX-License-Identifier: Apache-2.0
// How runs, causes and errors are called on pages.

internal import Hub
internal import Words

/// Titles of runs.
enum RunNames {
    /// What a run was for: its flow, its file, or what kind of run it is.
    static func title(_ run: RunSummary, _ saying: Saying) -> String {
        if let flow = run.flow { return flow }
        if run.kind != "import" { return saying.words("page.runs.kind.\(run.kind)") }
        guard let first = run.files.first else { return saying.words("page.runs.kind.import") }
        let name = String(first.split(separator: "/").last ?? Substring(first))
        let rest = run.fileCount - 1
        return rest > 0
            ? saying.words("page.runs.andOthers", count: rest, ["name": name]) : name
    }
}
