from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

R = TypeVar("R", bound=HttpRequest)
P = ParamSpec("P")
View = Callable[Concatenate[R, P], HttpResponseBase]


def posted(page: str, *named: str) -> Callable[[View[R, P]], View[R, P]]:
    """An address that is only posted to. A plain visit leads to the page it belongs to.

    People come by it without meaning to: switching language or theme on the page that says what was wrong goes to
    its address. `named` are the parts of the address that the page takes too.
    """

    def of(view: View[R, P]) -> View[R, P]:
        only_posted = require_POST(view)

        @wraps(view)
        def led(request: R, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method in ("GET", "HEAD"):
                return HttpResponseRedirect(reverse(page, kwargs={n: kwargs[n] for n in named}))
            return only_posted(request, *args, **kwargs)

        return led

    return of


def page_of_form(request: HttpRequest, otherwise: str) -> str:
    """The page the form stood on, where it names one of ours."""
    page = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(page, allowed_hosts={request.get_host()})
    return page if is_ours else otherwise
