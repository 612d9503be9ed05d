// SPDX-License-Identifier: Apache-2.0
// The database schema of this program, and every statement that CRM runs on it.

package import PostgreSQL
internal import Foundation

/// Relais' schema: its migrations and CRM's statements.
package enum Schema {
    /// Every migration, oldest first.
    package static func migrations() throws -> [Migration] {
        try Migration.inFolder(Bundle.module.bundleURL.appending(path: "Migrations"))
    }

    /// Every statement of CRM, so that one test can PREPARE them all.
    package static let statements: [any Statement.Type] =
        [
            FindByExternalCode.self, FindBySIRET.self, FindByVAT.self, FindBySIREN.self, FindByGLN.self,
            FindByNameAndPostalCode.self, DecidedMatches.self, TakeIDs.self, InsertParties.self,
            InsertSites.self, MissingCodes.self, InsertExternalIdentities.self, MissingContactPoints.self,
            InsertContactPoints.self, DifferingClaims.self, InsertClaims.self, ReplaceClaims.self,
            UpdatePartyColumns.self, UpdateSiteColumns.self, SitesOfParties.self, WriteChangeLog.self,
            SearchAccounts.self, ListAccounts.self, ShowAccount.self, AccountSites.self,
            AccountContactPoints.self, AccountClaims.self, AccountCodes.self, ListDocuments.self,
            FindPersons.self, InsertPersons.self, UpdatePersonColumns.self, EndJobs.self, BeginJobs.self,
            OwnCompany.self, MakeCompany.self, CountUndo.self, ListUndo.self,
        ] + MatchCases.statements + ChangeLog.statements + BillingStatus.statements
        + Accounts.listStatements + Accounts.exportStatements + Accounts.viewStatements
        + SalesDocuments.viewStatements + ListSettings.statements + Timeline.statements
        + AccountEdits.statements + PersonEdits.statements
        + SiteEdits.statements
        + GlobalSearch.statements
        + AppUsers.statements + SignIn.statements + OpenIDLinks.statements + AccessTokens.statements
        + AgendaItems.statements + AgendaEdits.statements + DAVCollections.statements + DAVObjects.statements
        + DAVSync.statements + DAVPrincipals.statements + Occurrences.statements
        + Audit.statements + RememberedAnswers.statements + SourceSystems.statements + Redecision.statements
        + ImportPlans.mirrors.flatMap { $0.statements }
}
