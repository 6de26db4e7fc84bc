"""Connectors that break one promise each about consent and tokens."""

from __future__ import annotations

from hub.contract import Account, AuthorizationError, RejectedError, Token, TransientError, hookimpl
from tests.contract.broken import breaks
from tests.contract.tiny_consent import TinyConsent


@breaks("test_the_page_of_consent_carries_the_state")
class LeavesTheStateOut(TinyConsent):
    @hookimpl
    def authorization_url(self, state: str, redirect_url: str | None) -> str:
        return super().authorization_url(state.split(maxsplit=1)[0], redirect_url)


@breaks("test_the_token_of_a_code_opens_the_account")
class TakesTheRefreshTokenForTheOther(TinyConsent):
    @hookimpl
    def exchange_code(self, code: str, redirect_url: str | None) -> Token:
        token = super().exchange_code(code, redirect_url)
        return token.model_copy(update={"access_token": token.refresh_token})


@breaks("test_a_used_code_raises_authorization_error")
class CallsAUsedCodeARejection(TinyConsent):
    @hookimpl
    def exchange_code(self, code: str, redirect_url: str | None) -> Token:
        try:
            return super().exchange_code(code, redirect_url)
        except AuthorizationError as error:
            raise RejectedError(error.code, error.what, where=error.where, do=error.do) from error


@breaks("test_no_code_or_token_appears_in_errors_or_logs")
class NamesTheCode(TinyConsent):
    @hookimpl
    def exchange_code(self, code: str, redirect_url: str | None) -> Token:
        try:
            return super().exchange_code(code, redirect_url)
        except TransientError as error:
            raise TransientError(error.code, f"{error.what} to {code}", where=error.where, do=error.do) from error


@breaks("test_a_refreshed_token_opens_the_account")
class KeepsTheOldRefreshToken(TinyConsent):
    @hookimpl
    def refresh_token(self, token: Token) -> Token:
        return super().refresh_token(token).model_copy(update={"refresh_token": token.refresh_token})


@breaks("test_accounts_have_refs_and_names_of_their_own")
class CallsEveryAccountOne(TinyConsent):
    @hookimpl
    def list_accounts(self) -> list[Account]:
        return [account.model_copy(update={"ref": "1"}) for account in super().list_accounts()]
