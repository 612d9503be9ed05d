// SPDX-License-Identifier: Apache-2.0
// Why a provider of OpenID Connect signs nobody in.

package import Diagnostics

/// A sign-in by a provider that did not come to its end.
package struct OpenIDError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        /// Not begun in this browser, too old, or ended already.
        case state = "OPENID-STATE"
        /// The provider or the person said no.
        case denied = "OPENID-DENIED"
        /// The provider does not answer as it must.
        case provider = "OPENID-PROVIDER"
        /// What we are told of the provider is not so.
        case setup = "OPENID-SETUP"
        /// What it vouches with does not hold; `reason` is for the log.
        case token = "OPENID-TOKEN"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }

    /// - Parameter reason: what the log says of it: one of few words, never a value.
    init(_ code: Code, because reason: String) {
        self.init(code, ["reason": reason])
    }
}
